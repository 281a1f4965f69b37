"""What holds for the whole organization."""
