"""Checks after the fact: every contact is accounted for, and the carrier has the same calls and texts."""
