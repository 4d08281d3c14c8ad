"""Paper 4: robust relative representations and topological densification."""
