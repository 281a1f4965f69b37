"""Campaigns: what they are set to, their life, their recipients, and what is known of them."""
