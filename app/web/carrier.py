"""The carrier as pages ask it: by name, and for the numbers its account owns."""

from app.providers.base import CarrierAccount, LookupFailed, Numbers, OwnedNumber
from app.providers.registry import CarrierNotConfigured, configured_account, make_carrier
from app.providers.twilio.urls import inbound_url
from app.runtime.config import Settings
from app.services.numbers.carriers import CarrierIdentity, identity_of
from app.services.numbers.ownership import CarrierSilent


def carrier_account(settings: Settings) -> CarrierAccount:
    """Return the carrier account this installation dials through. Raises `CarrierSilent`."""
    try:
        return configured_account(settings)
    except CarrierNotConfigured as error:
        raise CarrierSilent(f"No carrier is configured: {error}.") from error


async def owned_numbers(settings: Settings) -> tuple[CarrierIdentity, list[OwnedNumber]]:
    """Return the configured account and its numbers. Raises `CarrierSilent`."""
    account = carrier_account(settings)
    identity = identity_of(account)
    carrier = make_carrier(identity.kind, account)
    if not isinstance(carrier, Numbers):
        raise CarrierSilent("This carrier does not tell which numbers it has. Add them by hand.")
    try:
        return identity, await carrier.owned_numbers()
    except LookupFailed as error:
        raise CarrierSilent(
            f"The carrier's list of numbers could not be read: {error}. Nothing was changed."
        ) from error
    finally:
        await carrier.aclose()


def texts_address(settings: Settings) -> str:
    """Return where a real carrier must announce texts to our numbers; empty while it is simulated."""
    return "" if settings.carrier_simulated else inbound_url(settings.public_url)


def carrier_words(settings: Settings) -> str:
    """Return what the carrier in use is called."""
    if settings.carrier_simulated:
        return "Simulated carrier"
    return "Twilio" if settings.twilio_api_url is None else "Twilio-compatible carrier"
