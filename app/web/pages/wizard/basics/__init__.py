"""Step: who calls, and from which number."""
