"""What trainings minimise: one family of losses a module, each its own configuration."""
