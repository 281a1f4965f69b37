"""Imports: files of people, read row by row into the address book and into campaigns."""
