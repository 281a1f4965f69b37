"""The use cases, one folder a noun."""
