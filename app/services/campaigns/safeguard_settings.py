"""What guards a campaign against going wrong at full speed: breaker, pilot, ramp and budget, as its row holds them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from app.domain.breaker import BreakerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """A campaign's safeguards, and what they allowed when it was counted last."""

    breaker: BreakerPolicy
    breaker_since: datetime | None
    pilot: int
    """Dial so many, then wait for a person; 0: there is no pilot."""
    pilot_passed: bool
    """A person has seen its results."""
    ramp: bool
    ramp_step: int
    budget: Decimal | None
    """Most the campaign may cost, in the carrier account's currency; None: no limit."""
    room_left: int | None
    room_at: datetime | None

    @classmethod
    def of(
        cls,
        campaign: Mapping[Any, Any],
        *,
        read_breaker: Callable[[Any], BreakerPolicy] = BreakerPolicy.from_json,
    ) -> Self:
        """Return the safeguards of a campaign's row. Raises what `read_breaker` does."""
        return cls(
            breaker=read_breaker(campaign["breaker"]),
            breaker_since=campaign["breaker_since"],
            pilot=campaign["pilot_size"],
            pilot_passed=campaign["pilot_passed_at"] is not None,
            ramp=campaign["ramp"],
            ramp_step=campaign["ramp_step"],
            budget=campaign["budget_cap"],
            room_left=campaign["room_left"],
            room_at=campaign["room_at"],
        )

    @property
    def pilot_to_pass(self) -> int:
        """How many to dial before a person has to look; 0: there is no pilot, or it has been looked at."""
        return 0 if self.pilot_passed else self.pilot
