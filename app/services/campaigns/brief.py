"""The most frequent questions about a campaign: whether it exists, its status and zone, and its people by status."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.models import Campaign, CarrierAccount, Recipient, Run
from app.services.access.principal import Principal, authorize
from app.services.campaigns.progress import all_counts
from app.services.campaigns.rows import shown_runs
from app.services.campaigns.views import CampaignBrief, Counts
from app.services.errors import NotFound
from app.services.refs import Ref, select_ref


class CampaignVersion(NamedTuple):
    """What changes whenever somebody changes a campaign's settings or status, or adds or removes people."""

    updated_at: datetime
    """When settings or status changed last, or people were removed."""
    status: CampaignStatus
    next_position: int
    """It grows with each person that is added."""


async def campaign_version(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref
) -> CampaignVersion:
    """Return the campaign's version: one statement, which reads none of its people. Raises `NotFound`."""
    columns = (col(Campaign.updated_at), col(Campaign.status), col(Campaign.next_position))
    one = _one(principal, campaign_ref).with_only_columns(*columns)
    return CampaignVersion(**await _found(session, one, campaign_ref))


async def campaign_brief(session: AsyncSession, *, principal: Principal, campaign_ref: Ref) -> CampaignBrief:
    """Return the campaign in brief: one statement, which reads none of its people. Raises `NotFound`."""
    brief: Select[*tuple[Any, ...]] = (
        _one(principal, campaign_ref)
        .outerjoin(CarrierAccount, col(CarrierAccount.id) == col(Campaign.carrier_account_id))
        .with_only_columns(
            col(Campaign.id),
            col(Campaign.name),
            col(Campaign.description),
            col(Campaign.status),
            col(Campaign.status_reason),
            col(Campaign.channel),
            col(Campaign.time_zone),
            col(CarrierAccount.simulated).label("carrier_simulated"),
            _RUNS.label("runs"),
        )
    )
    return CampaignBrief(**await _found(session, brief, campaign_ref))


_RUNS: Final = (
    select(func.max(col(Run.number)))
    .where(col(Run.campaign_id) == col(Campaign.id))
    .correlate(Campaign)
    .scalar_subquery()
)


def _one(principal: Principal, campaign_ref: Ref) -> Select[Campaign]:
    authorize(principal, Right.VIEW)
    one = select_ref(Campaign, campaign_ref, organization_id=principal.organization_id)
    if one is None:
        raise NotFound("campaign", campaign_ref)
    return one


async def _found(session: AsyncSession, one: Select[*tuple[Any, ...]], campaign_ref: Ref) -> RowMapping:
    found = (await session.execute(one)).mappings().one_or_none()
    if found is None:
        raise NotFound("campaign", campaign_ref)
    return found


async def recipient_counts(session: AsyncSession, campaign_id: int) -> Counts:
    """Return how many people of the campaign's run are in each status. For callers that have found the campaign.

    It reads all of them. The run is the newest that has started, else the newest.
    """
    return (await recipient_counts_of_each(session, [campaign_id]))[campaign_id]


async def recipient_counts_of_each(session: AsyncSession, campaign_ids: Collection[int]) -> dict[int, Counts]:
    """Return the counts of several campaigns, each of its run shown. For callers that have found them."""
    rows = await session.execute(
        select(col(Recipient.campaign_id), col(Recipient.status), func.count())
        .where(col(Recipient.run_id).in_(shown_runs(campaign_ids)))
        .group_by(col(Recipient.campaign_id), col(Recipient.status))
    )
    return _counts(campaign_ids, rows.all())


async def recipient_counts_of_runs(session: AsyncSession, run_ids: Collection[int]) -> dict[int, Counts]:
    """Return the counts of several runs. For callers that have found them."""
    rows = await session.execute(
        select(col(Recipient.run_id), col(Recipient.status), func.count())
        .where(col(Recipient.run_id).in_(run_ids))
        .group_by(col(Recipient.run_id), col(Recipient.status))
    )
    return _counts(run_ids, rows.all())


def _counts(ids: Collection[int], rows: Iterable[tuple[int, RecipientStatus, int]]) -> dict[int, Counts]:
    found: dict[int, dict[RecipientStatus, int]] = defaultdict(dict)
    for each, status, count in rows:
        found[each][status] = count
    return {each: all_counts(found[each]) for each in ids}
