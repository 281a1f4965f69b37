"""The numbers never to contact."""
