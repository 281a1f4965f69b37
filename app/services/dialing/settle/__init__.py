"""What news of an attempt changes: the attempt, its recipient, and calls that must end."""
