"""Twilio as a provider, for the registry."""

from typing import Final

from app.providers.base import CarrierNotConfigured, Credentials, ProviderSpec
from app.providers.twilio.client import TwilioCarrier
from app.providers.twilio.intake import TwilioIntake
from app.providers.twilio.urls import INBOUND_PATH, PATH_PREFIX
from app.runtime.config import Settings


def _title(settings: Settings) -> str:
    return "Twilio" if settings.twilio_api_url is None else "Twilio-compatible carrier"


def _credentials(settings: Settings) -> Credentials:
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if sid is None or token is None:
        raise CarrierNotConfigured("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set")
    return Credentials(account_sid=sid, auth_token=token, api_url=settings.carrier_api_url)


TWILIO: Final = ProviderSpec(
    kind="twilio",
    title=_title,
    credentials=_credentials,
    make=TwilioCarrier,
    intake=TwilioIntake,
    prefix=PATH_PREFIX,
    texts_path=INBOUND_PATH,
    # More is asked for in Twilio's console.
    calls_per_second=1,
)
