"""Checks afterwards: every contact is accounted for, and the carrier has the same calls and texts as we have."""
