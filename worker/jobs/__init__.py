"""Jobs: each translates and calls one operation."""
