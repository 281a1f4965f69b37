"""Steps two and three of placing: send the request to the carrier, and record its answer."""
