"""Has Twilio announce texts to the account's numbers to us, unless another system uses that setting.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource (SmsUrl, SmsApplicationSid)
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urldefrag, urlsplit

from app.providers.twilio.urls import CONNECTION_OVERRIDES, INBOUND_PATH, inbound_url

_DEMO_HOST: Final = "demo.twilio.com"
"""The host of the address that Twilio gives a new number."""


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
    """Have Twilio announce texts to the number to us. Return why it does not; empty if all is well.

    A number that cannot receive texts needs nothing. An address of another system is not replaced: the owner may need
    it.
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
    # An address can be replaced if it is missing, Twilio's example, or our own at an older place.
    parts = urlsplit(current)
    if current and parts.hostname != _DEMO_HOST and not parts.path.endswith(INBOUND_PATH):
        return f"The carrier announces its texts to {parts.netloc}. Let it announce them to {ours}."
    await number.update_async(sms_url=ours + CONNECTION_OVERRIDES, sms_method="POST")
    return ""
