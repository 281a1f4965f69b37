"""Whether there is an hour at all in which a campaign's people may be contacted, and whether its date is meant."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.legal_policy import LegalPolicy
from app.models import CarrierAccount, Organization
from app.services.access.legal_policies import DEMO_REASON
from app.services.campaigns.rows import CampaignRows
from app.services.campaigns.settings import field_of_hours
from app.services.places.hours import rules_of_campaign
from app.services.places.openings import WaitingPlace, waiting_places

_FAR: Final = timedelta(days=366)
"""A start later than this is asked about: the year may be a slip."""


@dataclass(frozen=True, slots=True)
class HoursProblems:
    """What is wrong with the hours of a start."""

    errors: dict[str, str] = field(default_factory=dict)
    """Setting -> why a start is refused."""
    warnings: list[str] = field(default_factory=list)


async def hours_problems(
    session: AsyncSession, rows: CampaignRows, *, start: datetime, carrier_account_id: int | None
) -> HoursProblems:
    """Return what is wrong with the hours from a start on: people whom no hour suits, and the demo's policy.

    If that is everybody who waits, the start is refused. `carrier_account_id`: None if it is not known yet.
    """
    campaign = rows.campaign
    rules = await rules_of_campaign(session, campaign)
    if rules is None:
        return HoursProblems()  # The settings that cannot be read are named already.
    organization = await session.get_one(Organization, campaign.organization_id)
    errors, warnings = await _policy_problems(session, organization, carrier_account_id)
    places = await waiting_places(session, {campaign.id: rules}, now=start)
    never = {each.place_id: each for each in places if each.opening.span is None and not each.opening.problem}
    if never:
        told = await _people_without_an_hour(session, campaign.id, never, start)
        if len(never) == len(places):
            errors[field_of_hours(rows.settings)] = told
        else:
            warnings.append(f"{told} They wait and are never contacted.")
    return HoursProblems(errors, warnings)


def far_start_warning(start: datetime | None, now: datetime) -> str | None:
    """Return a question about a start that is more than a year after `now`; None if it is not."""
    if start is None or start - now <= _FAR:
        return None
    return f"The start is more than a year ahead, in {start:%B %Y}. Is the year right?"


_COUNT: Final = text(
    """
    SELECT place_id, count(*) AS people FROM recipient
    WHERE campaign_id = :campaign_id AND status = 'pending' AND place_id = ANY(CAST(:places AS bigint[]))
    GROUP BY place_id
    """
)


async def _people_without_an_hour(
    session: AsyncSession, campaign_id: int, never: Mapping[int, WaitingPlace], start: datetime
) -> str:
    counted = await session.execute(_COUNT, {"campaign_id": campaign_id, "places": list(never)})
    people: Counter[str] = Counter()
    for row in counted:
        people[never[row.place_id].opening.why(start).rstrip(".")] += row.people
    return " ".join(
        f"{why}: {count:,} {'contact' if count == 1 else 'contacts'}." for why, count in people.most_common()
    )


async def _policy_problems(
    session: AsyncSession, organization: Organization, carrier_account_id: int | None
) -> tuple[dict[str, str], list[str]]:
    """Return the error and warnings about legal hours that are off. What a demo may do, a real carrier may not."""
    if organization.legal_policy is not LegalPolicy.OFF or carrier_account_id is None:
        return {}, []
    account = await session.get_one(CarrierAccount, carrier_account_id)
    if account.simulated:
        return {}, []
    reason = await session.scalar(_LAST_REASON, {"organization_id": organization.id})
    if reason == DEMO_REASON:
        why = "Legal hours are off for the demo, and this carrier is real. An owner must choose a policy in Settings."
        return {"legal_policy": why}, []
    why = (reason or "no reason is known").rstrip(".")
    return {}, [f"Legal hours are off for this organization: {why}."]


_LAST_REASON: Final[Any] = text(
    "SELECT reason FROM legal_policy_change WHERE organization_id = :organization_id ORDER BY id DESC LIMIT 1"
)
