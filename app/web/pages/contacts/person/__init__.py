"""A person's page."""
