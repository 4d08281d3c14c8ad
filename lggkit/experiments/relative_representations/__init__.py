"""Paper 1: representing latent spaces with graphs."""
