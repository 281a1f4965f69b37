"""The providers there are. Adding one touches its own folder and one line here."""

from collections.abc import Callable, Mapping
from typing import Final

from app.providers.base import Carrier, CarrierAccount
from app.providers.twilio.client import TwilioCarrier

CARRIERS: Final[Mapping[str, Callable[[CarrierAccount], Carrier]]] = {
    "twilio": TwilioCarrier,
}
"""Kind of carrier -> what makes one for an account."""


class UnknownCarrierKind(Exception):
    """No provider of this kind is built in."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no carrier of kind {kind!r}; known: {', '.join(sorted(CARRIERS))}")
        self.kind = kind


def make_carrier(kind: str, account: CarrierAccount) -> Carrier:
    """Return a carrier of that kind for the account. Raises `UnknownCarrierKind`."""
    try:
        return CARRIERS[kind](account)
    except KeyError:
        raise UnknownCarrierKind(kind) from None
