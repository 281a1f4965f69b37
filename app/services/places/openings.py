"""Where a campaign's waiting people may be, and when the calling hours are open there: for the dialer and the pages.

People are looked at by place, not one by one. A campaign has a few hundred places at most, and their hours are computed
once for each opening, so that a million people in closed places cost nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.gate import Blocked, Rule
from app.domain.opening import Opening
from app.domain.places import Place
from app.services.places.hours import HoursRules, opening_at

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WaitingPlace:
    """The people of a campaign who wait in one place."""

    campaign_id: int
    place_id: int
    place: Place
    due_at: datetime
    """When the first of them is due."""
    opening: Opening
    """When the calling hours are open there, from now on."""

    def is_open(self, now: datetime) -> bool:
        """Tell whether these people may be contacted now, as far as the calling hours go."""
        return self.opening.is_open(now)

    def next_at(self, now: datetime) -> datetime | None:
        """Return when the first of them is due and the hours are open; None: never."""
        due_at = max(self.due_at, now)
        opens_at = self.opening.at(due_at).opens_at
        return max(due_at, opens_at) if opens_at is not None else None


@dataclass(frozen=True, slots=True)
class WaitingPlaces:
    """Where the people of one campaign wait, as read at one moment."""

    known: tuple[WaitingPlace, ...]
    unresolved: bool
    """The place of some people is not known yet."""


def next_opening(places: Sequence[WaitingPlace], campaign_id: int, *, now: datetime) -> datetime | None:
    """Return the first time at which somebody of the campaign is due and may be contacted; None: never."""
    times = (each.next_at(now) for each in places if each.campaign_id == campaign_id)
    return min((at for at in times if at is not None), default=None)


def closed_everywhere(rules: HoursRules, places: Sequence[WaitingPlace], *, now: datetime) -> Blocked | None:
    """Return that the calling hours are closed wherever somebody of one campaign is due; None: they are open somewhere.

    Also None if nobody is due. The places' openings are read again by `rules`.
    """
    due = [each for each in places if each.due_at <= now]
    if not due or any(opening_at(rules, each.place, now=now).is_open(now) for each in due):
        return None
    first = min(due, key=lambda each: each.next_at(now) or _NEVER)
    until = next_opening(places, first.campaign_id, now=now)
    return Blocked(Rule.CALLING_HOURS, until, first.opening.why(now))


# A walk over the index: one step for each place, however many people wait there.
_WAITING: Final = text(
    """
    WITH RECURSIVE waiting AS (
        SELECT c.id AS campaign_id, head.place_id, head.not_before, head.position
        FROM unnest(CAST(:campaign_ids AS bigint[])) AS c (id)
        CROSS JOIN LATERAL (SELECT r.place_id, r.not_before, r.position FROM recipient r
                            WHERE r.campaign_id = c.id AND r.status = 'pending' AND r.place_id IS NOT NULL
                            ORDER BY r.place_id, r.not_before, r.position LIMIT 1) head
        UNION ALL
        SELECT w.campaign_id, head.place_id, head.not_before, head.position FROM waiting w
        CROSS JOIN LATERAL (SELECT r.place_id, r.not_before, r.position FROM recipient r
                            WHERE r.campaign_id = w.campaign_id AND r.status = 'pending' AND r.place_id > w.place_id
                            ORDER BY r.place_id, r.not_before, r.position LIMIT 1) head
    )
    SELECT w.campaign_id, w.place_id, w.not_before, place.zones, place.number_zones, place.laws
    FROM waiting w JOIN place ON place.id = w.place_id
    ORDER BY w.campaign_id, w.not_before, w.position
    """
)


async def waiting_places(
    session: AsyncSession, rules: Mapping[int, HoursRules], *, now: datetime
) -> list[WaitingPlace]:
    """Return the places in which people of these campaigns wait, the first due first. `rules`: by campaign.

    People whose place is not resolved yet are left out.
    """
    if not rules:
        return []
    rows = await session.execute(_WAITING, {"campaign_ids": list(rules)})
    return [
        WaitingPlace(
            row.campaign_id,
            row.place_id,
            place := place_of(row),
            row.not_before,
            opening_at(rules[row.campaign_id], place, now=now),
        )
        for row in rows
    ]


def place_of(row: Any) -> Place:
    """Return the place of a row with `zones`, `number_zones` and `laws`."""
    return Place(tuple(row.zones), tuple(row.number_zones), tuple(row.laws))
