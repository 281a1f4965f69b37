"""Suppressions: numbers that must not be contacted."""
