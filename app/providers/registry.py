"""The providers there are. Adding one touches its own folder and one line here."""

from collections.abc import Callable, Mapping
from typing import Final

from app.providers.base import Carrier, CarrierAccount
from app.providers.twilio.client import TwilioCarrier
from app.runtime.config import Settings

CARRIERS: Final[Mapping[str, Callable[[CarrierAccount], Carrier]]] = {
    "twilio": TwilioCarrier,
}
"""Kind of carrier -> what makes one for an account."""


class UnknownCarrierKind(Exception):
    """No provider of this kind is built in."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no carrier of kind {kind!r}; known: {', '.join(sorted(CARRIERS))}")
        self.kind = kind


class CarrierNotConfigured(Exception):
    """The settings name no carrier account, or no secret to sign callbacks with."""


def configured_account(settings: Settings) -> CarrierAccount:
    """Return the carrier account this installation dials through. Raises `CarrierNotConfigured`."""
    sid, token, secret = settings.twilio_account_sid, settings.twilio_auth_token, settings.secret
    if sid is None or token is None:
        raise CarrierNotConfigured("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set")
    if secret is None:
        raise CarrierNotConfigured("CALLSHEET_SECRET is not set; `callsheet up` makes one")
    return CarrierAccount(
        account_sid=sid,
        auth_token=token,
        api_url=settings.carrier_api_url,
        public_url=settings.public_url,
        callback_secret=secret,
        simulated=settings.carrier_simulated,
    )


def make_carrier(kind: str, account: CarrierAccount) -> Carrier:
    """Return a carrier of that kind for the account. Raises `UnknownCarrierKind`."""
    try:
        return CARRIERS[kind](account)
    except KeyError:
        raise UnknownCarrierKind(kind) from None
