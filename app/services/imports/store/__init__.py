"""Writes the people of a file to the address book and to a campaign, batch by batch."""
