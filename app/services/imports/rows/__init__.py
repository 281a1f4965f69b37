"""The rows of a file, read as people."""
