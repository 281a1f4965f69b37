"""Step: what a start would meet, and the start."""
