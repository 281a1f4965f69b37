"""Applies news of an attempt: to the attempt, to its recipient, and to calls that must end."""
