"""The Overview tab: where the campaign stands, live."""
