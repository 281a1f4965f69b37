"""What guards a campaign against going wrong at full speed: breaker, pilot, ramp and budget, as its row holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from app.domain.breaker import BreakerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """A campaign's guards, and what they allowed when it was counted last."""

    breaker: BreakerPolicy
    breaker_since: datetime | None
    pilot_size: int
    """0: there is no pilot, or a person has seen its results."""
    ramp: bool
    ramp_step: int
    budget_cap: Decimal | None
    room_left: int | None
    room_at: datetime | None

    @classmethod
    def of(cls, campaign: Mapping[Any, Any]) -> Self:
        """Return the guards of a campaign's row."""
        return cls(
            breaker=BreakerPolicy.from_json(campaign["breaker"]),
            breaker_since=campaign["breaker_since"],
            pilot_size=campaign["pilot_size"] if campaign["pilot_passed_at"] is None else 0,
            ramp=campaign["ramp"],
            ramp_step=campaign["ramp_step"],
            budget_cap=campaign["budget_cap"],
            room_left=campaign["room_left"],
            room_at=campaign["room_at"],
        )
