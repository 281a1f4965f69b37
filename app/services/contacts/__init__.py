"""The address book: contacts, searching, changing and exporting them."""
