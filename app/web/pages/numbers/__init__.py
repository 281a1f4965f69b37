"""Our numbers."""
