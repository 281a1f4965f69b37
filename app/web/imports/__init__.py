"""Imports of files: shared by the wizard and the address book."""
