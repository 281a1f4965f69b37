"""Parses the rows of a file into people."""
