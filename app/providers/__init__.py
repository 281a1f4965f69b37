"""Carriers: the protocols the engine speaks, and one folder for each provider."""
