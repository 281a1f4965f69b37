"""The suppression list: numbers that are never contacted."""
