"""Secret tokens that identify a person or a browser: given out once, stored as a hash."""

import secrets
from collections.abc import Iterable
from hashlib import sha256


def new_token() -> str:
    """Return 256 random bits as text that is safe in an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the hash that is stored. A plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_hashes(tokens: Iterable[str]) -> list[str]:
    """Return the hash of each."""
    return [token_hash(token) for token in tokens]
