"""The world outside: a carrier and its people."""
