"""Where Twilio announces texts to the account's numbers: to us, unless somebody uses that address for more.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource (SmsUrl, SmsApplicationSid)
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urldefrag, urlsplit

from app.providers.twilio.urls import CONNECTION_OVERRIDES, INBOUND_PATH, inbound_url

_DEMO_HOST: Final = "demo.twilio.com"
"""Where a new number's texts go until its owner says otherwise."""


class _Number(Protocol):
    """What we read of the SDK's `IncomingPhoneNumberInstance`."""

    phone_number: str | None
    sms_url: str | None
    sms_application_sid: str | None
    capabilities: Mapping[str, bool] | None

    async def update_async(self, **changes: Any) -> object:
        """Change the number at the carrier."""
        ...


async def announce_to(number: _Number, *, public_url: str) -> str:
    """Have texts to the number announced to us; return why that is not to be, or nothing.

    A number that cannot be texted needs nothing. An address that is somebody else's stays: other systems of the
    owner may hang on it.
    """
    if number.capabilities is not None and not (
        number.capabilities.get("sms") or number.capabilities.get("SMS")
    ):
        return ""
    ours, current = inbound_url(public_url), urldefrag(number.sms_url or "").url
    if number.sms_application_sid:
        return f"The carrier gives its texts to an application. Have that one pass them on to {ours}."
    if current == ours:
        return ""
    if not _is_free(current):
        return (
            f"The carrier announces its texts to {urlsplit(current).netloc}. Let it announce them to {ours}."
        )
    await number.update_async(sms_url=ours + CONNECTION_OVERRIDES, sms_method="POST")
    return ""


def _is_free(address: str) -> bool:
    """Whether nobody needs this address: there is none, it is Twilio's example, or our own at an old place."""
    parts = urlsplit(address)
    return not address or parts.hostname == _DEMO_HOST or parts.path.endswith(INBOUND_PATH)
