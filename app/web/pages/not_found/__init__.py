"""The page of an unknown address."""
