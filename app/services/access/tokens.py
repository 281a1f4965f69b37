"""Secrets that prove who somebody is: given out once, kept as a hash."""

import secrets
from collections.abc import Iterable
from hashlib import sha256


def new_token() -> str:
    """Return 256 random bits as text that is safe in an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored. A plain SHA-256 will do: nobody guesses 256 random bits."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_hashes(tokens: Iterable[str]) -> list[str]:
    """Return what is stored of each."""
    return [token_hash(token) for token in tokens]
