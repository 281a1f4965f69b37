"""Callback URLs: one per purpose and attempt, each with a token only we can make."""

import hashlib
import hmac
import re
from enum import StrEnum
from uuid import UUID

from app.providers.base import CarrierAccount

PATH_PREFIX = "/webhooks/twilio"
INBOUND_PATH = f"{PATH_PREFIX}/inbound"
CONNECTION_OVERRIDES = "#rc=2&rp=ct,rt,5xx"
"""Twilio's webhook retries: twice, on connection and read timeouts and 5xx. Neither sent nor signed."""

_TOKEN_LENGTH = 32
_CALLBACK_URL = re.compile(rf"{PATH_PREFIX}/([a-z-]+)/([0-9a-fA-F-]{{36}})/([0-9a-f]{{{_TOKEN_LENGTH}}})")


class Purpose(StrEnum):
    """What a callback of an attempt is for."""

    VOICE = "voice"
    GATHER = "gather"
    STATUS = "status"
    AMD = "amd"
    MESSAGE_STATUS = "message-status"


def callback_token(secret: str, purpose: Purpose, attempt_id: UUID) -> str:
    """Return the token that proves a callback URL for this purpose and attempt was made by us."""
    message = f"{purpose.value}:{attempt_id}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:_TOKEN_LENGTH]


def token_is_valid(secret: str, purpose: Purpose, attempt_id: UUID, token: str) -> bool:
    """Compare in constant time, so that a token cannot be guessed byte by byte."""
    return hmac.compare_digest(callback_token(secret, purpose, attempt_id).encode(), token.encode())


def callback_url(account: CarrierAccount, purpose: Purpose, attempt_id: UUID) -> str:
    """Return where the carrier reaches us about this attempt."""
    token = callback_token(account.callback_secret.get_secret_value(), purpose, attempt_id)
    return f"{account.public_url.rstrip('/')}{PATH_PREFIX}/{purpose.value}/{attempt_id}/{token}"


def inbound_url(public_url: str) -> str:
    """Return where the carrier tells us of texts to our numbers. It has no token: the signature alone is its proof."""
    return f"{public_url.rstrip('/')}{INBOUND_PATH}"


def attempt_in(text: str, secret: str) -> UUID | None:
    """Return the attempt of the first callback URL with a good token in the text; None if there is none."""
    for purpose, attempt, token in _CALLBACK_URL.findall(text):
        if purpose not in set(Purpose):
            continue
        try:
            attempt_id = UUID(attempt)
        except ValueError:
            continue
        if token_is_valid(secret, Purpose(purpose), attempt_id, token):
            return attempt_id
    return None
