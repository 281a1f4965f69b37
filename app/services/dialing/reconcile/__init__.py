"""Asking the carrier what it did: unproven and silent attempts, and prices."""
