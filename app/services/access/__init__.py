"""People, API keys and organizations: who may do what."""
