"""The address `/`: leads to the campaigns."""
