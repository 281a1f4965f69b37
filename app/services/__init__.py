"""The use cases, one folder a noun; each imports only those below it in the order that `pyproject.toml` lists."""
