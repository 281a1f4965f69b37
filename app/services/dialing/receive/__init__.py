"""What carriers send: webhooks of calls and texts, and what is said in a call."""
