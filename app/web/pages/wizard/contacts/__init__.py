"""Step: who is contacted."""
