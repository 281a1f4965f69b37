"""Passwords: their length, how they are stored and how they are checked."""

import asyncio
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
LONGEST: Final = 1_000
"""A longer text would only make the hash slow."""

_hasher: Final = PasswordHasher()


def password_problem(password: str) -> str | None:
    """Return what to change about a new password, or None if it is good."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters; four random words make a good password."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    return None


async def hash_password(password: str) -> str:
    """Return the argon2id hash, computed in a thread: it takes tens of milliseconds."""
    return await asyncio.to_thread(_hasher.hash, _encoded(password))


async def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether the password is the one that was hashed.

    Without a hash (the e-mail is unknown) the answer is False and takes just as long, so the time tells nothing.
    """
    encoded = _encoded(password[: LONGEST + 1])
    try:
        await asyncio.to_thread(lambda: _hasher.verify(password_hash or _nobodys_hash(), encoded))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash(b"nobody has this password")
