"""Step one of placing: who is next, what limits and the gate allow, and the attempts written down under lock."""
