"""The carrier for pages: its name, and the numbers of its account."""

from app.providers.base import (
    CarrierNotConfigured,
    ConfiguredAccount,
    LookupFailed,
    NumberDirectory,
    OwnedNumber,
)
from app.providers.registry import configured_account, configured_provider, make_carrier
from app.runtime.config import Settings
from app.services.numbers.carriers import CarrierIdentity, identity_of
from app.services.numbers.ownership import CarrierSilent


def carrier_account(settings: Settings) -> ConfiguredAccount:
    """Return the carrier account this installation dials through. Raises `CarrierSilent`."""
    try:
        return configured_account(settings)
    except CarrierNotConfigured as error:
        raise CarrierSilent(f"No carrier is configured: {error}.") from error


async def owned_numbers(settings: Settings) -> tuple[CarrierIdentity, list[OwnedNumber]]:
    """Return the configured account and its numbers. Raises `CarrierSilent`."""
    account = carrier_account(settings)
    carrier = make_carrier(account)
    if not isinstance(carrier, NumberDirectory):
        raise CarrierSilent("This carrier does not tell which numbers it has. Add them by hand.")
    try:
        return identity_of(account), await carrier.owned_numbers()
    except LookupFailed as error:
        raise CarrierSilent(
            f"The carrier's list of numbers could not be read: {error}. Nothing was changed."
        ) from error
    finally:
        await carrier.aclose()


def texts_address(settings: Settings) -> str:
    """Return the URL at which a real carrier must announce texts to our numbers.

    Empty if it is simulated, or cannot announce texts.
    """
    path = "" if settings.carrier_simulated else configured_provider(settings).texts_path
    return path and f"{settings.public_url}{path}"


def carrier_words(settings: Settings) -> str:
    """Return the name of the carrier in use."""
    if settings.carrier_simulated:
        return "Simulated carrier"
    return configured_provider(settings).title(settings)
