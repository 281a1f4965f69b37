"""The history of a person over all campaigns and channels, the newest first."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.domain.rights import Right
from app.models import (
    Attempt,
    Campaign,
    Contact,
    ContactImport,
    ImportChange,
    Recipient,
    RecipientTransition,
    Suppression,
)
from app.services.access.principal import Principal, authorize
from app.services.errors import FieldErrors, NotFound
from app.services.field_readers import row_id
from app.services.paging import MAX_PAGE_SIZE

Value = ColumnElement[Any] | Mapped[Any]


class HistoryKind(StrEnum):
    """Kinds of events."""

    CREATED = "created"
    """The person was added to the address book; `detail`: from where."""
    CHANGED_BY_IMPORT = "changed_by_import"
    ADDED_TO_CAMPAIGN = "added_to_campaign"
    ATTEMPT = "attempt"
    """A call or a text message: its `status`, its `outcome`, and the reply in `detail`."""
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    """`status` is the scope, `outcome` the source."""
    SUPPRESSION_LIFTED = "suppression_lifted"
    HELD = "held"
    """The newest hold; `status`: until when."""
    HOLD_LIFTED = "hold_lifted"


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One event. `ref`: the id of the attempt, recipient, import or suppression."""

    kind: HistoryKind
    at: datetime
    ref: str
    campaign_id: int | None = None
    campaign_name: str = ""
    channel: str = ""
    status: str = ""
    outcome: str = ""
    detail: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of a history, and the cursor of the older events ("": there are none)."""

    items: list[HistoryItem]
    next: str


async def contact_history(
    session: AsyncSession, *, principal: Principal, contact_id: int, cursor: str = "", limit: int = 50
) -> HistoryPage:
    """Return a page of a person's history. Raises `NotFound`, and `FieldErrors` for a wrong cursor."""
    authorize(principal, Right.VIEW)
    contact = await session.get(Contact, row_id(contact_id))
    if contact is None or contact.organization_id != principal.organization_id:
        raise NotFound("contact", contact_id)
    size, before = max(1, min(limit, MAX_PAGE_SIZE)), _read(cursor)
    parts = [_page_of(part, before, size + 1) for part in _parts(contact)]
    union = union_all(*parts).subquery("happened")
    newest = (union.c.at.desc(), union.c.kind.desc(), union.c.ref.desc())
    rows = (await session.execute(select(union).order_by(*newest).limit(size + 1))).all()
    items = [HistoryItem(HistoryKind(row.kind), *row[1:]) for row in rows[:size]]
    return HistoryPage(items, _cursor(items[-1]) if len(rows) > size else "")


_Place = tuple[datetime, str, str]


def _page_of(part: Select[Any], before: _Place | None, limit: int) -> Select[Any]:
    """Return the newest events of one kind before a cursor."""
    rows = part.subquery()
    place = tuple_(rows.c.at, rows.c.kind, rows.c.ref)
    reached = [] if before is None else [place < tuple_(*before)]
    newest = (rows.c.at.desc(), rows.c.kind.desc(), rows.c.ref.desc())
    return select(rows).where(*reached).order_by(*newest).limit(limit)


def _parts(contact: Contact) -> Sequence[Select[Any]]:
    """Return a statement for each kind of event, all with the same columns."""
    mine = col(Recipient.contact_id) == contact.id
    number = (
        col(Suppression.organization_id) == contact.organization_id,
        col(Suppression.number) == contact.number,
    )
    created = _row(HistoryKind.CREATED, col(Contact.created_at), col(Contact.id), detail=col(Contact.source))
    changed = _row(
        HistoryKind.CHANGED_BY_IMPORT,
        func.coalesce(col(ContactImport.started_at), col(ContactImport.created_at)),
        col(ContactImport.id),
        detail=col(ContactImport.file_name),
        actor=col(ContactImport.created_by),
    )
    added = _row(
        HistoryKind.ADDED_TO_CAMPAIGN, col(Recipient.created_at), col(Recipient.id), campaign=True,
        status=col(Recipient.status), outcome=col(Recipient.last_disposition), detail=col(Recipient.blocked_why),
    )  # fmt: skip
    tried = _row(
        HistoryKind.ATTEMPT, col(Attempt.reserved_at), col(Attempt.id), campaign=True,
        status=col(Attempt.status), outcome=col(Attempt.disposition), channel=col(Attempt.channel),
        detail=func.coalesce(col(Attempt.reply), col(Attempt.error_message)),
    )  # fmt: skip
    ended = _row(
        col(RecipientTransition.new), col(RecipientTransition.at), col(RecipientTransition.id), campaign=True,
        detail=func.coalesce(col(Recipient.blocked_why), col(RecipientTransition.reason)),
    )  # fmt: skip
    closed = _row(
        HistoryKind.SUPPRESSED, col(Suppression.created_at), col(Suppression.id), status=col(Suppression.scope),
        outcome=col(Suppression.source), detail=col(Suppression.reason), actor=col(Suppression.actor),
    )  # fmt: skip
    lifted = _row(
        HistoryKind.SUPPRESSION_LIFTED, col(Suppression.lifted_at), col(Suppression.id),
        status=col(Suppression.scope), detail=col(Suppression.lift_reason), actor=col(Suppression.lifted_by),
    )  # fmt: skip
    held = _row(
        HistoryKind.HELD, col(Contact.held_at), col(Contact.id), status=_iso(col(Contact.held_until)),
        detail=col(Contact.held_reason), actor=col(Contact.held_by),
    )  # fmt: skip
    freed = _row(HistoryKind.HOLD_LIFTED, col(Contact.held_at), col(Contact.id), actor=col(Contact.held_by))
    was_held = (col(Contact.id) == contact.id, col(Contact.held_at).is_not(None))
    of_campaign = col(Campaign.id) == col(Recipient.campaign_id)
    transitions = col(RecipientTransition.recipient_id) == col(Recipient.id)
    return (
        created.where(col(Contact.id) == contact.id),
        changed.join(ImportChange, col(ImportChange.import_id) == col(ContactImport.id)).where(
            col(ImportChange.contact_id) == contact.id
        ),
        added.join(Campaign, of_campaign).where(mine),
        tried.join(Campaign, col(Campaign.id) == col(Attempt.campaign_id)).where(
            col(Attempt.contact_id) == contact.id
        ),
        ended.join(Recipient, transitions)
        .join(Campaign, of_campaign)
        .where(mine, col(RecipientTransition.new).in_([HistoryKind.SKIPPED, HistoryKind.CANCELLED])),
        closed.where(*number),
        lifted.where(*number, col(Suppression.lifted_at).is_not(None)),
        held.where(*was_held, col(Contact.held_until).is_not(None)),
        freed.where(*was_held, col(Contact.held_until).is_(None)),
    )


def _iso(at: Value) -> ColumnElement[Any]:
    """Return a time in ISO 8601, in UTC."""
    return func.to_char(func.timezone("UTC", at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')


def _row(  # noqa: PLR0913  # the columns of a union
    kind: HistoryKind | Value,
    at: Value,
    ref: Value,
    *,
    campaign: bool = False,
    channel: Value | None = None,
    status: Value | None = None,
    outcome: Value | None = None,
    detail: Value | None = None,
    actor: Value | None = None,
) -> Select[Any]:
    said = (channel, status, outcome, detail, actor)
    names = ("channel", "status", "outcome", "detail", "actor")
    word = literal(kind.value, Text()) if isinstance(kind, HistoryKind) else cast(kind, Text)
    columns: list[ColumnElement[Any]] = [
        word.label("kind"),
        at.label("at"),
        cast(ref, Text).label("ref"),
        (col(Campaign.id) if campaign else cast(null(), BigInteger)).label("campaign_id"),
        (cast(col(Campaign.name), Text) if campaign else literal("", Text())).label("campaign_name"),
        *(
            (literal("", Text()) if value is None else func.coalesce(cast(value, Text), "")).label(name)
            for name, value in zip(names, said, strict=True)
        ),
    ]
    return select(*columns)


def _cursor(item: HistoryItem) -> str:
    said = json.dumps([item.at.astimezone(UTC).isoformat(), item.kind.value, item.ref])
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


_UNREADABLE: Final = "This is not a cursor of this history. Start again without one."


def _read(cursor: str) -> _Place | None:
    if not cursor:
        return None
    try:
        at, kind, ref = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = datetime.fromisoformat(at), HistoryKind(kind).value, str(ref)
    except (ValueError, TypeError, binascii.Error) as error:
        raise FieldErrors({"cursor": _UNREADABLE}) from error
    if place[0].tzinfo is None or not place[2].isascii() or not place[2].isprintable():
        raise FieldErrors({"cursor": _UNREADABLE})
    return place
