"""The settings of the whole organization."""
