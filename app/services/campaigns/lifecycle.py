"""A person's actions on a campaign, from start to cancel. Each changes the status and adds a row to the history."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignAction, CampaignStatus, may
from app.domain.gate import Rule
from app.domain.outcomes import HangUp
from app.domain.recipient import RETRY_FAILED_DEFAULT, RecipientStatus
from app.domain.rights import Right
from app.models import Attempt, Campaign, CarrierAccount, Recipient, Run, sql
from app.services.access.principal import Principal, authorize
from app.services.campaigns.carrier_check import UNASKED, CarrierCheck
from app.services.campaigns.pending_additions import import_under_way
from app.services.campaigns.readiness import check_readiness, what_to_mend
from app.services.campaigns.rows import CampaignRows, latest_run, load_campaign, load_rows
from app.services.campaigns.runs import schedule_first_run
from app.services.campaigns.schedules import plan_of, start_time
from app.services.campaigns.transitions import move_campaign
from app.services.errors import Conflict, FieldErrors
from app.services.numbers.carriers import CarrierIdentity, carrier_name, ensure_carrier_account
from app.services.recipients.attempts_allowed import attempts_of
from app.services.recipients.transitions import cancel_waiting, retry_ended
from app.services.refs import Ref

_ACTED: Final[Mapping[CampaignAction, str]] = {
    CampaignAction.START: "started",
    CampaignAction.PAUSE: "paused",
    CampaignAction.RESUME: "resumed",
    CampaignAction.CANCEL: "cancelled",
    CampaignAction.RETRY_FAILED: "taken up again",
}


class CarrierChanged(Conflict):
    """The campaign was started on another carrier. A person must confirm that it goes on with the present one."""

    code = "carrier_changed"


async def start_campaign(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    now: datetime,
    carrier: CarrierIdentity,
    check: CarrierCheck = UNASKED,
    confirm_carrier: bool = False,
) -> None:
    """Queue or schedule a draft. `check`: the result of `ask_carrier` just before.

    Raises `FieldErrors` with everything that is missing, or `Conflict`.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    account = await hold_account(session, carrier, now)
    rows = await load_rows(session, principal, campaign_ref, lock=True)
    campaign = rows.campaign
    _require(campaign, CampaignAction.START)
    readiness = await check_readiness(
        session, rows, now=now, carrier_account_id=account.id, known=check.numbers
    )
    if readiness.errors:
        raise FieldErrors(readiness.errors)
    await _check_carrier(session, campaign, account, confirmed=confirm_carrier)
    target = CampaignStatus.SCHEDULED if start_time(campaign, now) else CampaignStatus.QUEUED
    await schedule_first_run(session, campaign, now=now)
    await _make_due(session, campaign.id, now)
    await move_campaign(
        session, campaign, target, actor=principal.actor, now=now, carrier_account_id=account.id
    )


async def pause_campaign(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, now: datetime, reason: str = ""
) -> None:
    """Pause the campaign: no more calls are placed, and calls under way go on. Raises `Conflict`."""
    authorize(principal, Right.RUN_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    _require(campaign, CampaignAction.PAUSE)
    await move_campaign(
        session, campaign, CampaignStatus.PAUSED, actor=principal.actor, reason=reason, now=now
    )


async def resume_campaign(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    now: datetime,
    carrier: CarrierIdentity,
    check: CarrierCheck = UNASKED,
    confirm_carrier: bool = False,
) -> None:
    """Resume a paused or failed campaign. `check`: the result of `ask_carrier` just before.

    Raises `Conflict`, also without confirmation of another carrier, while contacts are being imported, and for problems
    with which a campaign cannot start.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    account = await hold_account(session, carrier, now)
    rows = await load_rows(session, principal, campaign_ref, lock=True)
    campaign = rows.campaign
    _require(campaign, CampaignAction.RESUME)
    if unfinished := await import_under_way(session, campaign.id):
        raise Conflict(unfinished)
    await _check_carrier(session, campaign, account, confirmed=confirm_carrier)
    await _require_ready(session, rows, account.id, check, now=now)
    target = await _resumed_status(session, campaign, now)
    await _note_stop_seen(session, campaign, now)
    await move_campaign(
        session, campaign, target, actor=principal.actor, now=now, carrier_account_id=account.id
    )


async def cancel_campaign(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    now: datetime,
    reason: str = "",
    hang_up: bool = False,
) -> None:
    """End the campaign for good: waiting recipients are cancelled, calls under way go on to their end.

    `hang_up`: these calls are ended too, answered or not. Raises `Conflict`.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    _require(campaign, CampaignAction.CANCEL)
    await move_campaign(
        session, campaign, CampaignStatus.CANCELLED, actor=principal.actor, reason=reason, now=now
    )
    # Recipients that are being settled now may go back to pending: wait for that, and then cancel them.
    await session.execute(_HOLD_IN_PROGRESS, {"campaign_id": campaign.id})
    if hang_up:
        # Also calls that turn out later to be under way. Messages cannot be called back.
        why = HangUp.CAMPAIGN_CANCELLED.value
        await session.execute(_HANG_UP_CALLS, {"campaign_id": campaign.id, "now": now, "why": why})
    await cancel_waiting(session, campaign_id=campaign.id, now=now)


async def retry_failed(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    now: datetime,
    statuses: frozenset[RecipientStatus] = RETRY_FAILED_DEFAULT,
    carrier: CarrierIdentity | None = None,
    check: CarrierCheck = UNASKED,
    confirm_carrier: bool = False,
) -> int:
    """Reopen a completed campaign for recipients of these statuses, with new attempts for each; return how many.

    `check`: the result of `ask_carrier` just before. Without `carrier` the campaign stays with the carrier on which it
    was started, and is not dialed if another one is in use. Raises `FieldErrors` for statuses that cannot be chosen,
    and `Conflict`, also for problems with which a campaign cannot start.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    if not statuses or not statuses <= RETRY_FAILED_DEFAULT:
        raise FieldErrors({"statuses": f"Choose from: {', '.join(sorted(RETRY_FAILED_DEFAULT))}."})
    account = await hold_account(session, carrier, now) if carrier is not None else None
    rows = await load_rows(session, principal, campaign_ref, lock=True)
    campaign = rows.campaign
    _require(campaign, CampaignAction.RETRY_FAILED)
    if account is not None:
        await take_to_carrier(session, campaign, account, confirmed=confirm_carrier)
    run = await latest_run(session, campaign.id)
    retried = await retry_ended(
        session,
        campaign_id=campaign.id,
        run_id=run.id,
        statuses=statuses,
        more=attempts_of(campaign),
        now=now,
    )
    if not retried:
        raise Conflict("No contact of this campaign ended that way, so there is nobody to try again.")
    await reopen_campaign(session, rows, check, actor=principal.actor, now=now)
    return retried


async def reopen_campaign(
    session: AsyncSession, rows: CampaignRows, check: CarrierCheck, *, actor: str, now: datetime
) -> None:
    """Move a completed campaign back to running because recipients are tried again.

    The breaker counts from now on, because the old failures are known. Raises `Conflict` for problems with which a
    campaign cannot start.
    """
    campaign = rows.campaign
    await _require_ready(session, rows, campaign.carrier_account_id, check, now=now)
    campaign.breaker_since = now
    await move_campaign(
        session, campaign, CampaignStatus.RUNNING, actor=actor, reason="contacts are tried again", now=now
    )
    newest = select(func.max(col(Run.number))).where(col(Run.campaign_id) == campaign.id).scalar_subquery()
    await session.execute(
        update(Run)
        .where(col(Run.campaign_id) == campaign.id, col(Run.number) == newest)
        .values(ended_at=None)
        .execution_options(synchronize_session=False)
    )


async def _require_ready(
    session: AsyncSession,
    rows: CampaignRows,
    carrier_account_id: int | None,
    check: CarrierCheck,
    *,
    now: datetime,
) -> None:
    """Raise `Conflict` with everything that is missing if the campaign could not be started in this state."""
    problems = await what_to_mend(
        session, rows, now=now, carrier_account_id=carrier_account_id, known=check.numbers
    )
    reasons = [check.refuses] if check.refuses else []
    reasons += dict.fromkeys(problems.values())
    if reasons:
        raise Conflict(f"This campaign cannot go on yet. {' '.join(reasons)}")


def _require(campaign: Campaign, action: CampaignAction) -> None:
    if not may(action, campaign.status):
        raise Conflict(f"This campaign is {campaign.status}, so it cannot be {_ACTED[action]}.")


async def hold_account(session: AsyncSession, carrier: CarrierIdentity, now: datetime) -> CarrierAccount:
    """Lock the account's row and return it. Call it before locking the campaign: the dialer locks in this order."""
    account = await ensure_carrier_account(session, carrier, now=now)
    held = select(col(CarrierAccount.id)).where(col(CarrierAccount.id) == account.id)
    await session.execute(held.with_for_update(read=True, key_share=True))
    return account


async def take_to_carrier(
    session: AsyncSession, campaign: Campaign, account: CarrierAccount, *, confirmed: bool
) -> None:
    """Move a reopened campaign to this account. Raises `CarrierChanged` without confirmation."""
    await _check_carrier(session, campaign, account, confirmed=confirmed)
    campaign.carrier_account_id = account.id


async def _check_carrier(
    session: AsyncSession, campaign: Campaign, account: CarrierAccount, *, confirmed: bool
) -> None:
    """Raise `CarrierChanged` for another carrier without confirmation: a rehearsal must not call real people."""
    if campaign.carrier_account_id in {None, account.id} or confirmed:
        return
    before = await session.get_one(CarrierAccount, campaign.carrier_account_id)
    raise CarrierChanged(
        f"This campaign was started on {carrier_name(before)}, and the carrier is now "
        f"{carrier_name(account)}. Confirm that it should go on there."
    )


async def _make_due(session: AsyncSession, campaign_id: int, now: datetime) -> None:
    """Make all pending recipients due now. Most are due already, so few rows are written."""
    await session.execute(
        update(Recipient)
        .where(
            col(Recipient.campaign_id) == campaign_id,
            col(Recipient.status) == RecipientStatus.PENDING,
            col(Recipient.not_before) > now,
        )
        .values(not_before=now)
    )


async def _resumed_status(session: AsyncSession, campaign: Campaign, now: datetime) -> CampaignStatus:
    """Return running if something was placed in its run, scheduled if its time has not come, else queued.

    A run of a schedule that has not started is scheduled in any case: if its time has passed, the launcher decides.
    """
    run = await latest_run(session, campaign.id)
    in_run = (col(Attempt.campaign_id) == campaign.id, col(Attempt.run_id) == run.id)
    if await session.scalar(select(exists().where(*in_run))):
        return CampaignStatus.RUNNING
    if plan_of(campaign) is not None and run.occurrence_at is not None:
        return CampaignStatus.SCHEDULED if run.started_at is None else CampaignStatus.QUEUED
    waits_until = start_time(campaign, now) if campaign.status is CampaignStatus.PAUSED else None
    return CampaignStatus.SCHEDULED if waits_until and waits_until > now else CampaignStatus.QUEUED


_LAST_TRIP: Final = text("SELECT max(at) FROM breaker_trip WHERE campaign_id = :campaign_id")


async def _note_stop_seen(session: AsyncSession, campaign: Campaign, now: datetime) -> None:
    """Record that the person who resumes the campaign has seen why it stopped.

    The outcomes until now do not trip the breaker again, and a pilot that is done counts as passed.
    """
    if campaign.status is CampaignStatus.FAILED:
        campaign.breaker_since = now
    tripped_at: datetime | None = await session.scalar(_LAST_TRIP, {"campaign_id": campaign.id})
    if tripped_at is not None and tripped_at > (campaign.breaker_since or datetime.min.replace(tzinfo=UTC)):
        campaign.breaker_since = max(now, tripped_at)
    # Only if the pilot paused it: something else may have done so while the pilot's attempts were under way.
    if campaign.gate_rule == Rule.PILOT and campaign.gate_why == campaign.status_reason:
        campaign.pilot_passed_at = now


_HANG_UP_CALLS: Final = text(
    f"""
    UPDATE attempt SET hang_up_at = :now, hang_up_why = CAST(:why AS varchar)
    FROM (SELECT id FROM attempt
          WHERE campaign_id = :campaign_id AND channel = 'call'
            AND status IN {sql.LIVE}
          ORDER BY recipient_id, id FOR NO KEY UPDATE) live
    WHERE attempt.id = live.id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)
"""Marks a campaign's calls to be hung up; the dialer then asks the carrier to do it."""

_HOLD_IN_PROGRESS: Final = text(
    "SELECT id FROM recipient WHERE campaign_id = :campaign_id AND status = 'in_progress'"
    " ORDER BY id FOR NO KEY UPDATE"
)
