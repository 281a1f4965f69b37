"""The carrier account this process dials through, from its settings."""

from pydantic import SecretStr

from app.config import Settings
from app.context import NotConfigured
from app.providers.base import Carrier, CarrierAccount
from app.providers.registry import make_carrier

CARRIER_KIND = "twilio"


def carrier_account(settings: Settings) -> CarrierAccount:
    """Return the account. Raises `NotConfigured` naming what is missing; there is no default carrier."""
    if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
        raise NotConfigured("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set; `callsheet up` sets them")
    if settings.secret is None:
        raise NotConfigured("CALLSHEET_SECRET is not set; `callsheet up` sets it for the processes it starts")
    return CarrierAccount(
        account_sid=settings.twilio_account_sid,
        auth_token=SecretStr(settings.twilio_auth_token.get_secret_value()),
        api_url=settings.carrier_api_url,
        public_url=settings.public_url,
        callback_secret=settings.secret,
        simulated=settings.carrier_simulated,
    )


def connect_carrier(settings: Settings) -> Carrier:
    """Return a client of the carrier. Raises `NotConfigured`."""
    return make_carrier(CARRIER_KIND, carrier_account(settings))
