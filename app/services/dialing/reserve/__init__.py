"""Step one of placing: choose who is next within all limits, and write the attempts under lock."""
