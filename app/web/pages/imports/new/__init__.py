"""People into the address book, from a file."""
