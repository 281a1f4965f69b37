"""All providers. To add one, write its folder and add one line here: see README.md."""

from typing import Final

from app.providers.base import Carrier, CarrierIntake, CarrierNotConfigured, ConfiguredAccount, ProviderSpec
from app.providers.twilio.spec import TWILIO
from app.runtime.config import Settings

PROVIDERS: Final[dict[str, ProviderSpec]] = {
    each.kind: each
    for each in (TWILIO,)  # A new provider goes here.
}
"""Kind of carrier -> its provider."""


class UnknownCarrierKind(Exception):
    """No provider of this kind is built in."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no carrier of kind {kind!r}; known: {', '.join(sorted(PROVIDERS))}")
        self.kind = kind


def provider(kind: str) -> ProviderSpec:
    """Return the provider of that kind. Raises `UnknownCarrierKind`."""
    try:
        return PROVIDERS[kind]
    except KeyError:
        raise UnknownCarrierKind(kind) from None


def configured_provider(settings: Settings) -> ProviderSpec:
    """Return the provider that this installation dials through. Raises `CarrierNotConfigured`."""
    try:
        return provider(settings.carrier)
    except UnknownCarrierKind as error:
        raise CarrierNotConfigured(f"CALLSHEET_CARRIER cannot be used: {error}") from error


def configured_account(settings: Settings) -> ConfiguredAccount:
    """Return the carrier account this installation dials through. Raises `CarrierNotConfigured`."""
    spec = configured_provider(settings)
    credentials = spec.credentials(settings)
    if settings.secret is None:
        raise CarrierNotConfigured("CALLSHEET_SECRET is not set; `callsheet up` makes one")
    return ConfiguredAccount(
        kind=spec.kind,
        account_sid=credentials.account_sid,
        auth_token=credentials.auth_token,
        api_url=credentials.api_url,
        public_url=settings.public_url,
        callback_secret=settings.secret,
        simulated=settings.carrier_simulated,
    )


def make_carrier(account: ConfiguredAccount) -> Carrier:
    """Return a carrier for the account. Raises `UnknownCarrierKind`."""
    return provider(account.kind).make(account)


def make_intake(account: ConfiguredAccount) -> CarrierIntake:
    """Return what verifies and answers the account's webhooks. Raises `UnknownCarrierKind`."""
    return provider(account.kind).intake(account)
