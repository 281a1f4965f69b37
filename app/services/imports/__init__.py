"""Imports: reads files of people into the address book and into campaigns."""
