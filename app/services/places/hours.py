"""When the people of a campaign may be contacted at a place: what the rows say, given to the domain's arithmetic."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.calling_hours import CallingHours, Constraint, HoursClock, Window, one_window, parse_window
from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.domain.opening import Blackouts, Opening, constraints_for
from app.domain.places import Place
from app.models import Campaign, Organization
from app.runtime.legal_hours import get_legal_hours

NOWHERE: Final = Place((), (), ())
"""The place of people about whom nothing is known: the campaign's zone is assumed."""

_MOST_KEPT: Final = 500
"""Campaigns whose openings are kept."""


@dataclass(frozen=True, slots=True)
class HoursRules:
    """What decides when the people of a campaign may be contacted, apart from where they are."""

    hours: CallingHours
    campaign_zone: str
    policy: LegalPolicy
    trust: ZoneTrust
    blackouts: Blackouts

    @property
    def stamp(self) -> str:
        """The policy and the version of the legal hours, as an attempt keeps them: `law 2026-12-01`."""
        return f"{self.policy} {get_legal_hours().version}"[:60]


RULES: Final = """
    c.id AS campaign_id, c.allowed_start, c.allowed_end, c.allowed_days, c.calling_windows, c.calling_clock,
    c.time_zone, o.legal_policy, o.zone_trust, o.blackout_dates
"""
"""The columns of `campaign` c and `organization` o that `rules_of` reads."""


def hours_of_organization(organization: Organization | Row[Any]) -> dict[str, Any]:
    """Return the columns of an organization that `rules_of` reads, to be put beside those of a campaign."""
    return {
        "legal_policy": organization.legal_policy,
        "zone_trust": organization.zone_trust,
        "blackout_dates": organization.blackout_dates,
    }


def rules_of(row: Mapping[Any, Any]) -> HoursRules:
    """Return the rules of a row with the columns of `RULES`. Raises `CallingHoursInvalid`."""
    return HoursRules(
        CallingHours(_windows(row), HoursClock(row["calling_clock"])),
        row["time_zone"],
        LegalPolicy(row["legal_policy"]),
        ZoneTrust(row["zone_trust"]),
        Blackouts.of(row["blackout_dates"]),
    )


def _windows(row: Mapping[Any, Any]) -> tuple[Window, ...]:
    if row["calling_windows"]:
        return tuple(parse_window(each) for each in row["calling_windows"])
    return one_window(row["allowed_start"], row["allowed_end"], frozenset(map(int, row["allowed_days"])))


def readable_rules(row: Mapping[Any, Any]) -> HoursRules | None:
    """Return the rules as `rules_of`; None if they cannot be read: the reservation fails such a campaign."""
    try:
        return rules_of(row)
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


async def rules_of_campaign(session: AsyncSession, campaign: Campaign) -> HoursRules | None:
    """Return the rules of a campaign with those of its organization; None if they cannot be read."""
    organization = await session.get_one(Organization, campaign.organization_id)
    return readable_rules(vars(campaign) | hours_of_organization(organization))


_kept: OrderedDict[HoursRules, dict[Place, Opening]] = OrderedDict()


def opening_at(rules: HoursRules, place: Place, *, now: datetime) -> Opening:
    """Return when people at the place may be contacted, from now on. It is computed once for each opening."""
    openings = _kept.setdefault(rules, {})
    _kept.move_to_end(rules)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    found = openings.get(place)
    answer = found.at(now) if found is not None else Opening.find(_constraints(rules, place), now)
    openings[place] = answer
    return answer


def legal_cap(rules: HoursRules, place: Place) -> int | None:
    """Return the most attempts to one number within 24 hours that the law of the place allows; None: no cap."""
    return _cap(place.laws, rules.policy)


@lru_cache(maxsize=2_000)
def _cap(laws: tuple[str, ...], policy: LegalPolicy) -> int | None:
    return get_legal_hours().cap_for(laws, policy)


def _constraints(rules: HoursRules, place: Place) -> tuple[Constraint, ...]:
    both = rules.trust is ZoneTrust.BOTH
    return constraints_for(
        zones=sorted({*place.zones, *place.number_zones}) if both else place.zones,
        laws=place.laws,
        hours=rules.hours,
        campaign_zone=rules.campaign_zone,
        legal=get_legal_hours(),
        policy=rules.policy,
        blackouts=rules.blackouts,
    )
