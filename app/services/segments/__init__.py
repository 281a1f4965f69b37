"""Named filters of the address book."""
