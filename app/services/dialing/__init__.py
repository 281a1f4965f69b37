"""The dialing engine: it reserves, places, records, settles and reconciles attempts."""
