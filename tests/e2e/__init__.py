"""Journeys of a person through the real product in a real browser."""
