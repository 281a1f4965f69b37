"""Numbers never to contact."""
