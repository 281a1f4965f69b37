"""Callback addresses: one for each purpose of an attempt, with a token that only we can make."""

import hashlib
import hmac
from uuid import UUID

from app.providers.base import CallbackPath, ConfiguredAccount, WebhookRejected

TOKEN_LENGTH = 32


def callback_token(secret: str, purpose: str, attempt_id: UUID) -> str:
    """Return the token that proves that we made the callback URL for this purpose and attempt."""
    message = f"{purpose}:{attempt_id}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:TOKEN_LENGTH]


def token_is_valid(secret: str, purpose: str, attempt_id: UUID, token: str) -> bool:
    """Tell whether the token is ours. Compares in constant time, so that it cannot be guessed byte by byte."""
    return hmac.compare_digest(callback_token(secret, purpose, attempt_id).encode(), token.encode())


def make_callback_url(account: ConfiguredAccount, prefix: str, purpose: str, attempt_id: UUID) -> str:
    """Return the URL, below the provider's prefix, at which the carrier reaches us about this attempt."""
    token = callback_token(account.callback_secret.get_secret_value(), purpose, attempt_id)
    return f"{account.public_url.rstrip('/')}{prefix}/{purpose}/{attempt_id}/{token}"


def read_callback_path(account: ConfiguredAccount, prefix: str, path: str) -> CallbackPath:
    """Return the purpose and the attempt of a path whose token is ours. Raises `WebhookRejected`.

    The token proves it, so nothing has to be looked up.
    """
    try:
        purpose, attempt, token = path.removeprefix(f"{prefix}/").split("/")
        attempt_id = UUID(attempt)
    except ValueError as error:
        raise WebhookRejected("the path names no attempt") from error
    if not token_is_valid(account.callback_secret.get_secret_value(), purpose, attempt_id, token):
        raise WebhookRejected("the path has a token that is not ours")
    return CallbackPath(purpose, attempt_id)
