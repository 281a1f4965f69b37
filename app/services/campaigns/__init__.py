"""Campaigns: their settings, lifecycle, recipients and progress."""
