"""The agents: the voices that speak on calls."""
