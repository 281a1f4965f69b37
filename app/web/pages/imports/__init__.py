"""The history of imports."""
