"""Asking the carrier: about unproven and silent attempts, and about prices."""
