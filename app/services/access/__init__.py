"""People, keys and organizations: who may come in."""
