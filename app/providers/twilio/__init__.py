"""Twilio, and carriers that speak its API."""
