"""Steps two and three of placing: the request to the carrier, and its answer written down."""
