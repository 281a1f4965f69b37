"""Our numbers and the carrier accounts they belong to."""
