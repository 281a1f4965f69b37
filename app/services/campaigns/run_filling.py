"""Fills the runs of recurring campaigns: with the people of the run before, or with those who match a segment.

A segment is read when the run is due. It works in batches. Each is committed with its position, so a crash loses no
person and adds no person twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import OVER
from app.domain.recurrence import RecurringPlan, RunPeople
from app.domain.suppression import scopes_of
from app.models import Campaign, Contact, Run
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.campaigns.adding import add_recipients_bulk, card_variables
from app.services.campaigns.audiences import AudienceRule, conditions_of
from app.services.campaigns.schedules import STORED_PLAN, plan_of, stored_plan

BATCH: Final = 1_000
"""Most people added in one transaction. The dialer skips the campaign while its row is locked, so it is short."""

# The cursor is the contact's id: the unique index of (run, contact) has the people of a run in this order.
_COPY: Final = text(
    """
    WITH given AS (
        SELECT r.contact_id, r.step_id, r.position, r.variables, r.import_id, r.audience_id,
               contact.number, contact.place_id
        FROM recipient r JOIN contact ON contact.id = r.contact_id
        WHERE r.run_id = :source_id AND r.contact_id > :cursor
        ORDER BY r.contact_id LIMIT :most
    ), added AS (
        INSERT INTO recipient (organization_id, campaign_id, run_id, step_id, contact_id, place_id, position, status,
                               attempts_made, not_before, blocked_by, blocked_why, variables, import_id, audience_id,
                               created_at, updated_at)
        SELECT :organization_id, :campaign_id, :run_id, g.step_id, g.contact_id, g.place_id, g.position,
               CASE WHEN s.reason IS NULL THEN 'pending' ELSE 'skipped' END, 0, :now,
               CASE WHEN s.reason IS NOT NULL THEN 'suppression' END,
               CASE WHEN s.reason IS NOT NULL
                    THEN left('This number must not be contacted: ' || s.reason || '.', 500) END,
               g.variables, g.import_id, g.audience_id, :now, :now
        FROM given g
        LEFT JOIN LATERAL (
            SELECT coalesce(nullif(rtrim(trim(s.reason), '.'), ''), 'no reason was given') AS reason
            FROM suppression s
            WHERE s.organization_id = :organization_id AND s.number >= g.number AND s.number <= g.number
              AND s.lifted_at IS NULL AND s.scope = ANY(CAST(:scopes AS varchar[]))
            ORDER BY s.number, s.id LIMIT 1
        ) s ON true
        ORDER BY g.position
        ON CONFLICT (run_id, contact_id) DO NOTHING
    )
    SELECT count(*) AS people, max(contact_id) AS last FROM given
    """
)


async def due_runs(session: AsyncSession, *, now: datetime) -> list[int]:  # noqa: ARG001 - as its siblings
    """Return the runs to which people are to be added now: of a segment, once the run has started."""
    people = func.coalesce(STORED_PLAN["people"].astext, RunPeople.SAME.value)
    rows = await session.execute(
        select(Run, Campaign)
        .join(Campaign, col(Campaign.id) == col(Run.campaign_id))
        .where(
            col(Run.filled_at).is_(None),
            col(Run.occurrence_at).is_not(None),
            col(Run.ended_at).is_(None),
            col(Campaign.status).not_in(OVER),
            # Those that only wait for their time must not fill the list: a hundred may wait, paused, for ever.
            or_(col(Run.started_at).is_not(None), people != RunPeople.SEGMENT.value),
        )
        .order_by(col(Run.occurrence_at))
        .limit(100)
    )
    return [run.id for run, campaign in rows if _plan_for(run, campaign) is not None]


async def fill_run(database: Database, *, run_id: int, clock: Clock) -> None:
    """Add the people of a run to their last. Several processes may do this at once, or die: it goes on."""

    async def next_batch(session: AsyncSession) -> bool:
        more = await _add_batch(session, run_id, now=clock.now())
        fault("before_fill_commit")
        return more

    while await database.write(next_batch):
        fault("after_fill_commit")
    fault("after_fill_commit")


def _plan_for(run: Run, campaign: Campaign) -> RecurringPlan | None:
    """Return the plan by which people are added to the run now; None: nobody is.

    A campaign that no longer recurs has this run still.
    """
    plan = stored_plan(campaign)
    waits = run.filled_at is not None or run.occurrence_at is None or run.ended_at is not None
    if plan is None or waits or campaign.status in OVER:
        return None
    return plan if plan.people is RunPeople.SAME or run.started_at is not None else None


async def _add_batch(session: AsyncSession, run_id: int, *, now: datetime) -> bool:
    """Add the next people; return whether there may be more."""
    run = await session.get(Run, run_id)
    campaign = await session.get_one(Campaign, run.campaign_id) if run is not None else None
    if run is None or campaign is None or (plan := _plan_for(run, campaign)) is None:
        return False
    cursor, matching = run.fill_cursor, await _matching(session, run, campaign, plan)
    # Locked only now: the dialer skips the campaign while its row is locked, and the search before may be slow.
    await session.refresh(campaign, with_for_update={"key_share": True})
    await session.refresh(run)
    if run.fill_cursor != cursor or _plan_for(run, campaign) != plan:
        return True  # Somebody else has gone on, or the plan was changed: look again.
    if plan.people is RunPeople.SEGMENT:
        rows = [(person.id, card_variables(person)) for person in matching]
        await add_recipients_bulk(session, campaign=campaign, rows=rows, now=now)
        people, last = len(matching), matching[-1].id if matching else cursor
    else:
        people, last = await _copy(session, run, campaign, now=now)
    run.fill_cursor = last
    if people < BATCH:
        run.filled_at = now
    await session.flush()
    announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id, work=True)
    return people == BATCH


async def _matching(
    session: AsyncSession, run: Run, campaign: Campaign, plan: RecurringPlan
) -> Sequence[Contact]:
    """Return the next people of the plan's segment, as it is at the time of the occurrence; empty without one."""
    at = run.occurrence_at if plan_of(campaign) is not None else run.started_at
    if plan.people is not RunPeople.SEGMENT or at is None:
        return ()
    rule = AudienceRule(segment_id=plan.segment_id)
    meant = await conditions_of(session, rule, campaign.organization_id, now=at)
    found = select(Contact).where(*meant, col(Contact.id) > run.fill_cursor).order_by(col(Contact.id))
    return (await session.scalars(found.limit(BATCH))).all()


async def _copy(session: AsyncSession, run: Run, campaign: Campaign, *, now: datetime) -> tuple[int, int]:
    """Copy the next people of the run before; return how many they are, and the last one's id."""
    before = select(col(Run.id)).where(col(Run.campaign_id) == campaign.id, col(Run.number) == run.number - 1)
    given = {
        "organization_id": campaign.organization_id,
        "campaign_id": campaign.id,
        "run_id": run.id,
        "source_id": await session.scalar(before),
        "cursor": run.fill_cursor,
        "scopes": sorted(map(str, scopes_of(campaign.channel))),
        "most": BATCH,
        "now": now,
    }
    copied = (await session.execute(_COPY, given)).one()
    return copied.people, copied.last or run.fill_cursor
