"""The addresses of Twilio's webhooks: a callback URL for each purpose of an attempt, and one for texts from people."""

import re
from enum import StrEnum
from uuid import UUID

from app.providers.base import ConfiguredAccount
from app.providers.callbacks import TOKEN_LENGTH, make_callback_url, token_is_valid

PATH_PREFIX = "/webhooks/twilio"
INBOUND_PATH = f"{PATH_PREFIX}/inbound"
"""Where Twilio announces texts to our numbers. It has no token; the signature alone proves the sender."""
CONNECTION_OVERRIDES = "#rc=2&rp=ct,rt,5xx"
"""Twilio's webhook retries: two, after connection and read timeouts and 5xx. This part is neither sent nor signed."""

_CALLBACK_URL = re.compile(rf"{PATH_PREFIX}/([a-z-]+)/([0-9a-fA-F-]{{36}})/([0-9a-f]{{{TOKEN_LENGTH}}})")


class CallbackPurpose(StrEnum):
    """The purpose of a callback about an attempt."""

    VOICE = "voice"
    GATHER = "gather"
    STATUS = "status"
    AMD = "amd"
    MESSAGE_STATUS = "message-status"


def callback_url(account: ConfiguredAccount, purpose: CallbackPurpose, attempt_id: UUID) -> str:
    """Return the URL at which Twilio reaches us about this attempt."""
    return make_callback_url(account, PATH_PREFIX, purpose, attempt_id)


def inbound_url(public_url: str) -> str:
    """Return the URL at which Twilio announces texts to our numbers."""
    return f"{public_url.rstrip('/')}{INBOUND_PATH}"


def attempt_in(text: str, secret: str) -> UUID | None:
    """Return the attempt of the first callback URL with a good token in the text; None if there is none."""
    for purpose, attempt, token in _CALLBACK_URL.findall(text):
        if purpose not in set(CallbackPurpose):
            continue
        try:
            attempt_id = UUID(attempt)
        except ValueError:
            continue
        if token_is_valid(secret, CallbackPurpose(purpose), attempt_id, token):
            return attempt_id
    return None
