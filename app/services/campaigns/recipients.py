"""Retries, skips and removes people of a campaign, one or thousands at once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RETRYABLE_BY_HAND, RecipientStatus
from app.domain.rights import Right
from app.models import Attempt, Campaign, Contact, Recipient, Run
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.campaigns.adding import (
    require_editable_list,
)
from app.services.campaigns.carrier_check import UNASKED, CarrierCheck
from app.services.campaigns.lifecycle import hold_account, reopen_campaign, take_to_carrier
from app.services.campaigns.pending_additions import standing_rule
from app.services.campaigns.rows import latest_run, load_campaign, load_rows
from app.services.campaigns.views import BulkResult
from app.services.campaigns.waiting import Because, because_condition
from app.services.errors import Conflict, FieldErrors
from app.services.field_readers import plain_text
from app.services.numbers.carriers import CarrierIdentity
from app.services.recipients.attempts_allowed import attempts_of
from app.services.recipients.transitions import move_chosen
from app.services.refs import Ref

REMOVABLE: Final = frozenset({RecipientStatus.PENDING, RecipientStatus.SKIPPED})
"""Statuses that may be removed if there was no attempt: attempts are a ledger and never deleted."""

WAS_TRIED: Final = "was already contacted, and what happened is kept"


async def retry_recipients(  # noqa: PLR0913 - whom, and where, each by its name
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    recipient_ids: Sequence[int] | None,
    statuses: Collection[RecipientStatus] = (),
    search: str = "",
    because: Because | None = None,
    everyone: bool = False,
    run: int | None = None,
    now: datetime,
    carrier: CarrierIdentity | None = None,
    check: CarrierCheck = UNASKED,
    confirm_carrier: bool = False,
) -> BulkResult:
    """Give one more attempt to these, or to all that match. A completed campaign runs again for them.

    They are people of the newest run; `run`: its number, if the caller has shown one. `check`: the result of
    `ask_carrier` just before. A completed campaign goes on with `carrier`; without one it keeps its own. Raises
    `Conflict` for a cancelled campaign, and `CarrierChanged` for a completed one of another carrier without
    confirmation.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    account = await hold_account(session, carrier, now) if carrier is not None else None
    rows = await load_rows(session, principal, campaign_ref, lock=True)
    campaign = rows.campaign
    if campaign.status is CampaignStatus.CANCELLED:
        raise Conflict("This campaign is cancelled, so nobody in it can be tried again.")
    chosen_run = await _run_to_change(session, campaign, run, recipient_ids)
    allowed = func.coalesce(Recipient.attempts_allowed, attempts_of(campaign))
    one_more = col(Recipient.attempts_made) + 1
    move = _Move(
        to=RecipientStatus.PENDING,
        out_of=RETRYABLE_BY_HAND,
        reason=f"tried again by {principal.actor}",
        values={
            "attempts_allowed": case(
                (col(Recipient.attempts_made) == 0, func.greatest(allowed, 1)), else_=one_more
            ),
            "not_before": now,
            "blocked_by": None,
            "blocked_why": None,
            "last_error": None,
        },
        refusals=_NOT_RETRYABLE,
    )
    reason = await because_condition(session, campaign, because)
    chosen = _meant(chosen_run, recipient_ids, statuses, search, reason, everyone=everyone)
    result = await _move_many(session, campaign, chosen, move, now)
    if result.done and campaign.status is CampaignStatus.COMPLETED:
        if account is not None:
            await take_to_carrier(session, campaign, account, confirmed=confirm_carrier)
        await reopen_campaign(session, rows, check, actor=principal.actor, now=now)
    return result


async def skip_recipients(  # noqa: PLR0913 - whom, each by its name
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    recipient_ids: Sequence[int] | None,
    statuses: Collection[RecipientStatus] = (),
    search: str = "",
    because: Because | None = None,
    everyone: bool = False,
    run: int | None = None,
    now: datetime,
) -> BulkResult:
    """Skip these waiting people, or all that match, in this campaign.

    Raises `FieldErrors`.
    """
    authorize(principal, Right.RUN_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    chosen_run = await _run_to_change(session, campaign, run, recipient_ids)
    move = _Move(
        to=RecipientStatus.SKIPPED,
        out_of={RecipientStatus.PENDING},
        reason=f"skipped by {principal.actor}",
        values={"blocked_by": "by_hand", "blocked_why": f"Skipped by {principal.actor}."},
        refusals=_NOT_SKIPPABLE,
    )
    reason = await because_condition(session, campaign, because)
    chosen = _meant(chosen_run, recipient_ids, statuses, search, reason, everyone=everyone)
    return await _move_many(session, campaign, chosen, move, now)


async def remove_recipients(  # noqa: PLR0913 - whom, and how many, each by its name
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    recipient_ids: Sequence[int] | None,
    statuses: Collection[RecipientStatus] = (),
    search: str = "",
    because: Because | None = None,
    everyone: bool = False,
    run: int | None = None,
    expected: int | None = None,
    now: datetime,
) -> BulkResult:
    """Remove these, or all that match, from a draft, paused or failed campaign, if they have no attempt.

    Raises `Conflict`, also while a rule would add them again.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    require_editable_list(campaign)
    if await standing_rule(session, campaign.id):
        raise Conflict(
            "A rule keeps adding matching contacts, so removed ones would come back. Skip them instead."
        )
    chosen_run = await _run_to_change(session, campaign, run, recipient_ids)
    reason = await because_condition(session, campaign, because)
    chosen = _meant(chosen_run, recipient_ids, statuses, search, reason, everyone=everyone)
    if everyone and expected is None:
        raise FieldErrors({"expected": "Send how many people you expect to remove: it cannot be undone."})
    if expected is not None:
        await _require_count(session, chosen, expected)
    untried = ~exists().where(col(Attempt.recipient_id) == col(Recipient.id))
    gone = await session.execute(
        delete(Recipient)
        .where(chosen, col(Recipient.status).in_(REMOVABLE), untried)
        .returning(col(Recipient.id))
        .execution_options(synchronize_session=False)
    )
    removed = len(gone.all())
    left = (await session.execute(select(func.count()).select_from(Recipient).where(chosen))).scalar_one()
    announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id)
    campaign.updated_at = now
    await session.flush()
    return BulkResult(done=removed, refused={WAS_TRIED: left} if left else {})


async def _run_to_change(
    session: AsyncSession, campaign: Campaign, run: int | None, recipient_ids: Sequence[int] | None
) -> Run:
    """Return the newest run. Raises `Conflict` if another is meant: what happened in an ended run is kept."""
    newest = await latest_run(session, campaign.id)
    elsewhere = run not in {None, newest.number}
    if newest.number > 1 and recipient_ids and not elsewhere:
        others = select(col(Recipient.id)).where(
            col(Recipient.campaign_id) == campaign.id,
            col(Recipient.id).in_(recipient_ids),
            col(Recipient.run_id) != newest.id,
        )
        elsewhere = await session.scalar(others.limit(1)) is not None
    if elsewhere:
        raise Conflict(
            "That run has ended, and what happened in it is kept. "
            f"Choose run {newest.number} to retry, skip or remove people."
        )
    return newest


def _meant(
    run: Run,
    recipient_ids: Sequence[int] | None,
    statuses: Collection[RecipientStatus],
    search: str,
    reason: ColumnElement[bool] | None,
    *,
    everyone: bool,
) -> ColumnElement[bool]:
    """Return the condition of a bulk action on the newest run. An empty selection may be a mistake: it is refused.

    Raises `FieldErrors` on `everyone`, unless it is ids, a selection, or everyone.
    """
    selects = recipient_ids is not None or bool(statuses) or bool(search.strip()) or reason is not None
    if everyone == selects:
        raise FieldErrors(
            {"everyone": "Send ids, statuses or a search; or everyone: true, and none of them."}
        )
    return recipient_matches(run, recipient_ids, statuses, search, reason)


async def _require_count(session: AsyncSession, chosen: ColumnElement[bool], expected: int) -> None:
    there = (await session.execute(select(func.count()).select_from(Recipient).where(chosen))).scalar_one()
    if there != expected:
        raise Conflict(
            f"By now this means {there:,} people, not {expected:,}. Nobody was removed: look again."
        )


def recipient_matches(
    run: Run,
    recipient_ids: Sequence[int] | None,
    statuses: Collection[RecipientStatus],
    search: str,
    reason: ColumnElement[bool] | None = None,
) -> ColumnElement[bool]:
    """Return the condition of a list or bulk action in a run: ids, statuses and search together, if given.

    `reason`: the condition of `waiting.because_condition`.
    """
    here = (col(Recipient.campaign_id) == run.campaign_id) & (col(Recipient.run_id) == run.id)
    if reason is not None:
        here &= reason
    if recipient_ids is not None:
        here &= col(Recipient.id).in_(recipient_ids)
    if statuses:
        here &= col(Recipient.status).in_(statuses)
    if words := search.strip():
        theirs = exists().where(col(Contact.id) == col(Recipient.contact_id), contact_matches(words))
        here &= theirs.correlate(Recipient)
    return here


def contact_matches(search: str) -> ColumnElement[bool]:
    """Return the condition that a name, e-mail or company contains the text, or a number its digits."""
    like = contains(search)
    texts = [col(Contact.name).ilike(like), col(Contact.email).ilike(like), col(Contact.company).ilike(like)]
    digits = "".join(char for char in search if char.isdigit())
    if digits and not any(char.isalpha() for char in search):
        texts.append(col(Contact.number).like(contains(digits)))
    return or_(*texts)


def contains(words: str) -> str:
    """Return the LIKE pattern for values that contain this literal text."""
    escaped = plain_text(words).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """A bulk change of status."""

    to: RecipientStatus
    out_of: Collection[RecipientStatus]
    reason: str
    values: Mapping[str, Any]
    refusals: Mapping[RecipientStatus, str]


async def _move_many(
    session: AsyncSession, campaign: Campaign, chosen: ColumnElement[bool], move: _Move, now: datetime
) -> BulkResult:
    """Move the eligible ones of the chosen, with history; count the others by the reason."""
    rows = await move_chosen(
        session, chosen, to=move.to, out_of=move.out_of, reason=move.reason, values=move.values, now=now
    )
    refused: Counter[str] = Counter()
    for status, eligible, count in rows:
        if not eligible:
            refused[move.refusals[status]] += count
    done = sum(count for _, eligible, count in rows if eligible)
    announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id, work=True)
    return BulkResult(done=done, refused=dict(refused))


_S = RecipientStatus

_NOT_RETRYABLE: Final[Mapping[RecipientStatus, str]] = {
    _S.PENDING: "is already waiting",
    _S.IN_PROGRESS: "is being contacted now",
    _S.COMPLETED: "was reached",
    _S.CANCELLED: "was cancelled",
}

_NOT_SKIPPABLE: Final[Mapping[RecipientStatus, str]] = {
    _S.IN_PROGRESS: "is being contacted now",
    _S.COMPLETED: "was reached",
    _S.FAILED: "has ended",
    _S.NO_ANSWER: "has ended",
    _S.BUSY: "has ended",
    _S.VOICEMAIL: "has ended",
    _S.SKIPPED: "is already skipped",
    _S.CANCELLED: "was cancelled",
}
