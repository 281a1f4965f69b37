"""Step: how fast, how often, and when."""
