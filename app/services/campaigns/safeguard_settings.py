"""The safeguards of a campaign as its row holds them: breaker, pilot, ramp and budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from app.domain.breaker import BreakerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """A campaign's safeguards, and how many attempts they allowed at the last count."""

    breaker: BreakerPolicy
    breaker_since: datetime | None
    pilot: int
    """Dial this many people, then wait for a person; 0: there is no pilot."""
    pilot_passed: bool
    """A person has seen the pilot's results."""
    ramp: bool
    ramp_step: int
    budget: Decimal | None
    """Most the campaign may cost, in the carrier account's currency; None: no limit."""
    room_left: int | None
    """Attempts still allowed by the last count; each reservation is taken off. None: not counted."""
    room_at: datetime | None
    """When that was counted."""

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
        """Return the pilot's people; 0: there is no pilot, or a person has seen its results."""
        return 0 if self.pilot_passed else self.pilot
