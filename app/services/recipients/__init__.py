"""Recipients: the people of a campaign, each once, with their status."""
