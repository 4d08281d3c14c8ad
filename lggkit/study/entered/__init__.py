"""What is entered in ``data/paper``: cells, claims with rules and gates, origins of settings."""
