"""Adding people of the address book to a campaign by a rule: on its Contacts tab and in the wizard."""
