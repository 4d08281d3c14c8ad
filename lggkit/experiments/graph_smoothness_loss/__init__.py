"""Paper 2: graph smoothness as the training loss."""
