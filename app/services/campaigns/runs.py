"""The runs of a recurring campaign: the first is scheduled at the start, a changed schedule moves the one to come."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.recurrence import RecurringPlan, RunPeople, anchored, next_occurrence
from app.models import Attempt, Campaign, Recipient, Run
from app.services.campaigns.rows import latest_run
from app.services.campaigns.schedules import PLAN, plan_of, stored_plan, write_plan
from app.services.errors import FieldErrors

_BEING_ADDED: Final = "The people of a run are still being added. Try again in a moment."


async def schedule_first_run(session: AsyncSession, campaign: Campaign, *, now: datetime) -> None:
    """Give the first run its occurrence when a recurring campaign is started. Others are left alone."""
    plan = plan_of(campaign)
    if plan is None:
        return
    run = await latest_run(session, campaign.id)
    _schedule(campaign, run, plan, now)
    run.filled_at = now if plan.people is RunPeople.SAME else None
    await session.flush()


async def reschedule(
    session: AsyncSession, campaign: Campaign, *, before: RecurringPlan | None, now: datetime
) -> None:
    """Apply a changed plan to the run that is to come. `before`: the plan until now, if it was recurring.

    A run that has started goes on; the plan holds from the next. A campaign that was never started gets its first
    occurrence when it is.
    """
    plan = plan_of(campaign)
    if plan is None or plan == before:
        return
    run = await latest_run(session, campaign.id)
    if run.started_at is None and run.occurrence_at is None:
        return
    if run.started_at is not None:
        write_plan(campaign, replace(plan, schedule=anchored(plan.schedule, now)))
    else:
        earlier = await _occurrence_before(session, run)
        _schedule(campaign, run, plan, max(now, earlier or now))
    await session.flush()


async def choose_people(
    session: AsyncSession, campaign: Campaign, *, before: RecurringPlan | None, now: datetime
) -> None:
    """Have the run that is to come filled anew if the stored plan names other people than `before`.

    A run that has started keeps its people: raises `FieldErrors` while they are still being added. The same if there
    is no plan any more to go on by. Call it before `reschedule`.
    """
    plan = stored_plan(campaign)
    if _people_of(plan) == _people_of(before):
        return
    run = await latest_run(session, campaign.id)
    if run.occurrence_at is None:
        return
    copies = before is not None and before.people is RunPeople.SAME
    if run.filled_at is None and (run.started_at is not None or (plan is None and copies)):
        raise FieldErrors({PLAN if plan is None else f"{PLAN}.people": _BEING_ADDED})
    if run.started_at is None and plan is None:
        run.filled_at = run.filled_at or now
    elif run.started_at is None and plan is not None:
        await _choose_anew(session, run, plan, now)
    await session.flush()


def _people_of(plan: RecurringPlan | None) -> tuple[RunPeople, int | None] | None:
    return (plan.people, plan.segment_id) if plan is not None else None


def _schedule(campaign: Campaign, run: Run, plan: RecurringPlan, after: datetime) -> None:
    fixed = replace(plan, schedule=anchored(plan.schedule, after))
    write_plan(campaign, fixed)
    run.occurrence_at = campaign.scheduled_at = next_occurrence(fixed.schedule, after)


async def _occurrence_before(session: AsyncSession, run: Run) -> datetime | None:
    earlier = select(func.max(col(Run.occurrence_at))).where(
        col(Run.campaign_id) == run.campaign_id, col(Run.number) < run.number
    )
    return await session.scalar(earlier)


async def _choose_anew(session: AsyncSession, run: Run, plan: RecurringPlan, now: datetime) -> None:
    """Have the run filled anew: its people are chosen another way. Those who were added by hand stay."""
    run.fill_cursor, run.filled_at = 0, None
    if plan.people is RunPeople.SAME and run.number == 1:
        run.filled_at = now
    if plan.people is RunPeople.SEGMENT and run.number > 1:
        earlier = aliased(Recipient)
        copied = exists().where(
            col(earlier.contact_id) == col(Recipient.contact_id),
            col(earlier.run_id)
            == select(col(Run.id))
            .where(col(Run.campaign_id) == run.campaign_id, col(Run.number) == run.number - 1)
            .scalar_subquery(),
        )
        untried = ~exists().where(col(Attempt.recipient_id) == col(Recipient.id))
        await session.execute(
            delete(Recipient)
            .where(col(Recipient.run_id) == run.id, copied, untried)
            .execution_options(synchronize_session=False)
        )


def move_run(campaign: Campaign, run: Run, occurrence_at: datetime) -> None:
    """Give a run that has not started another occurrence."""
    run.occurrence_at = campaign.scheduled_at = occurrence_at


def due_run(plan: RecurringPlan, run: Run, now: datetime) -> datetime | None:
    """Return the occurrence that a run which has not started shall execute; None if its last one was missed."""
    wanted = run.occurrence_at or now
    return plan.to_run(after=wanted - timedelta.resolution, now=now)
