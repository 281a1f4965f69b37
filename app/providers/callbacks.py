"""Callback addresses: one for each purpose of an attempt, with a token that we alone can make."""

import hashlib
import hmac
from uuid import UUID

from app.providers.base import CallbackPath, ConfiguredAccount, WebhookRejected

TOKEN_LENGTH = 32


def callback_token(secret: str, purpose: str, attempt_id: UUID) -> str:
    """Return the token that proves a callback URL for this purpose and attempt was made by us."""
    message = f"{purpose}:{attempt_id}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:TOKEN_LENGTH]


def token_is_valid(secret: str, purpose: str, attempt_id: UUID, token: str) -> bool:
    """Compare in constant time, so that a token cannot be guessed byte by byte."""
    return hmac.compare_digest(callback_token(secret, purpose, attempt_id).encode(), token.encode())


def make_callback_url(account: ConfiguredAccount, prefix: str, purpose: str, attempt_id: UUID) -> str:
    """Return where the carrier reaches us about this attempt: below the provider's prefix."""
    token = callback_token(account.callback_secret.get_secret_value(), purpose, attempt_id)
    return f"{account.public_url.rstrip('/')}{prefix}/{purpose}/{attempt_id}/{token}"


def read_callback_path(account: ConfiguredAccount, prefix: str, path: str) -> CallbackPath:
    """Return what the path is about if its token is ours: nothing has to be looked up. Raises `WebhookRejected`."""
    try:
        purpose, attempt, token = path.removeprefix(f"{prefix}/").split("/")
        attempt_id = UUID(attempt)
    except ValueError as error:
        raise WebhookRejected("the path names no attempt") from error
    if not token_is_valid(account.callback_secret.get_secret_value(), purpose, attempt_id, token):
        raise WebhookRejected("the path has a token that is not ours")
    return CallbackPath(purpose, attempt_id)
