"""A file on its way in: what the wizard and the address book share of an import."""
