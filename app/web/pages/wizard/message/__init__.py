"""Step: what is said, tried on a real contact."""
