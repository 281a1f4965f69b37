"""Texts between us and people."""
