"""A campaign's budget: what was spent, what calls in flight may still cost, and how many more fit under the cap."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.domain.campaign import Channel

FREE: Final = 1_000_000
"""A number above any request: without a price there is no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a campaign costs so far. Amounts are in the carrier account's currency."""

    ended: Decimal
    """What ended attempts cost: the carrier's prices, else our estimate."""
    live: int
    """Attempts in flight."""
    each: Decimal
    """The most that one attempt may cost (see `most_for`)."""
    unit: str
    """ISO 4217."""

    @property
    def in_flight(self) -> Decimal:
        """What is set aside for the attempts in flight."""
        return self.live * self.each

    @property
    def committed(self) -> Decimal:
        """Spent or set aside. This never exceeds the cap."""
        return self.ended + self.in_flight


def most_for(channel: Channel, *, unit_price: Decimal, longest_seconds: int, parts: int) -> Decimal:
    """Return the most that one attempt may cost: a call that lasts as long as it may, or a message's parts.

    `unit_price`: the price of a begun minute, or of one part. `longest_seconds`: the longest a call may last.
    """
    minutes = -(-longest_seconds // 60)
    return unit_price * (max(parts, 1) if channel is Channel.SMS else minutes)


def more_within(cap: Decimal, spending: Spending) -> int:
    """Return how many more attempts fit under the cap, even if all in flight cost the most they can."""
    left = cap - spending.committed
    if not spending.each:
        return FREE if left >= 0 else 0
    return max(0, int(left // spending.each))
