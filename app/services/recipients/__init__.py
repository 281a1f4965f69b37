"""Recipients: the people of a campaign, each once, from waiting to how it ended."""
