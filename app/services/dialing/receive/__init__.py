"""Webhooks of calls and texts from the carrier, and the conversation of a call."""
