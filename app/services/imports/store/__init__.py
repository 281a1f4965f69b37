"""People of a file written to the address book and to a campaign, batch by batch."""
