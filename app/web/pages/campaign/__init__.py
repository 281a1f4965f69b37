"""One campaign: its header and its four tabs."""
