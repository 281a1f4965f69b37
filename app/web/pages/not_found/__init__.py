"""An address where nothing is."""
