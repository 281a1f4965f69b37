"""The Call log tab."""
