"""Bugs seeded on purpose: the model is worth something if it finds each of them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptProgress, AttemptStatus, apply_event
from app.domain.events import AttemptEvent
from app.domain.pacing import Allowance
from app.domain.retry import RetryAt
from app.services.campaigns import transitions
from app.services.dialing.place import carrier_answer, carrier_request
from app.services.dialing.reconcile import overdue_attempts
from app.services.dialing.reserve import reservation
from app.services.dialing.reserve.reservation import Reservation
from app.services.dialing.settle import outcomes
from tests.faults.model.machine import explore
from tests.faults.model.world import Broken
from tests.faults.wrong_policies import forget, place_again
from tests.support import stage

Mutant = Mapping[tuple[ModuleType, str], Any]

_STEPS: Final = 25


def is_found(url: str, mutant: Mutant, *, examples: int) -> bool:
    """Tell whether the model finds a law broken by an engine with this bug."""
    with ExitStack() as patched:
        for (module, name), replacement in mutant.items():
            patched.enter_context(patch.object(module, name, replacement))
        try:
            explore(url, examples=examples, steps=_STEPS, shrink=False)
        except Broken:
            return True
    return False


async def _all_still_wanted(
    session: AsyncSession, reservations: Sequence[Reservation], *, worker: str, now: datetime
) -> dict[UUID, datetime | None]:
    return {each.attempt_id: None for each in reservations}


def _any_number(*_: Any, now: datetime, **__: Any) -> Allowance:
    return Allowance(100, starts=(now,) * 100)


def _last_word_wins(progress: AttemptProgress, event: AttemptEvent) -> AttemptProgress:
    fresh = apply_event(AttemptProgress(), event)
    return replace(
        fresh, status=fresh.status if fresh.status is not AttemptStatus.PLACING else progress.status
    )


def _always_again(*_: Any, now: datetime, **__: Any) -> RetryAt:
    return RetryAt(now + timedelta(minutes=1))


def _at_once_again(*_: Any, now: datetime, **__: Any) -> RetryAt:
    return RetryAt(now)


async def _forget_overdue(*_: Any, **__: Any) -> int:
    return 0


_DONE_TOO_SOON: Final = text(
    str(transitions._COMPLETE).replace("IN ('pending', 'in_progress')", "IN ('in_progress')")
)

MUTANTS: Final[Mapping[str, Mutant]] = {
    "placed again": {(carrier_answer, "_mark_unknown"): place_again},
    "forgotten": {(carrier_answer, "_mark_unknown"): forget},
    "hasty": {(overdue_attempts, "SETTLE"): timedelta(0), (carrier_answer, "ASK_AFTER"): timedelta(0)},
    "no second look": {(stage, "still_wanted"): _all_still_wanted},
    "stale": {(carrier_request, "PLACE_WITHIN_SECONDS"): 1e9},
    "no limit": {(reservation, "allowance"): _any_number},
    "last word wins": {(outcomes, "apply_event"): _last_word_wins},
    "no budget": {(outcomes, "decide"): _always_again},
    "no delay": {(outcomes, "decide"): _at_once_again},
    "nobody asks": {(overdue_attempts, "reconcile"): _forget_overdue},
    "done too soon": {(transitions, "_COMPLETE"): _DONE_TOO_SOON},
}
"""What is wrong -> what is replaced by what."""


def survivors(url: str, *, examples: int, names: Iterable[str] = MUTANTS) -> list[str]:
    """Return which mutants the model does not find."""
    return [name for name in names if not is_found(url, MUTANTS[name], examples=examples)]
