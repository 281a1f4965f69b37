"""The actions of a bulk change on a batch of people, each in a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.bulk_change import BulkAction
from app.domain.contact_fields import MOST_TAGS
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import BulkChange
from app.services.access.principal import Principal
from app.services.contacts.deleting import KeptContact, delete_contacts
from app.services.contacts.fields import read_consent, read_tags
from app.services.field_readers import ChangeReader
from app.services.suppression.closing import LONGEST_REASON, Closing, close_numbers

_TAG: Final = text(
    """
    WITH given AS (
        SELECT c.id, c.number,
               c.tags || ARRAY(SELECT t FROM unnest(CAST(:tags AS varchar[])) t WHERE t <> ALL (c.tags)) AS tags
        FROM contact c
        WHERE c.id = ANY(CAST(:ids AS bigint[])) AND NOT c.tags @> CAST(:tags AS varchar[])
    ), changed AS (
        UPDATE contact c SET tags = given.tags, updated_at = :now
        FROM given WHERE c.id = given.id AND cardinality(given.tags) <= :most
    )
    SELECT id, number, cardinality(tags) <= :most AS fits FROM given
    """
)
_UNTAG: Final = text(
    """
    UPDATE contact c
    SET tags = ARRAY(SELECT t FROM unnest(c.tags) WITH ORDINALITY AS u (t, n)
                     WHERE t <> ALL (CAST(:tags AS varchar[])) ORDER BY n),
        updated_at = :now
    WHERE c.id = ANY(CAST(:ids AS bigint[])) AND c.tags && CAST(:tags AS varchar[])
    RETURNING c.id
    """
)
_CONSENT: Final = text(
    """
    UPDATE contact c
    SET consent = :consent, consent_scope = :consent_scope, consent_source = :consent_source,
        consent_wording = :consent_wording, consent_evidence = :consent_evidence,
        consent_at = CAST(:consent_at AS timestamptz), updated_at = :now
    WHERE c.id = ANY(CAST(:ids AS bigint[]))
      AND (c.consent, c.consent_scope, c.consent_source, c.consent_wording, c.consent_evidence)
          IS DISTINCT FROM (:consent, :consent_scope, :consent_source, :consent_wording, :consent_evidence)
    RETURNING c.id
    """
)


class BatchPerson(NamedTuple):
    """A person of a batch."""

    id: int
    number: str


@dataclass(frozen=True, slots=True)
class ActionDone:
    """How many people were changed, and who was not changed."""

    changed: int = 0
    refused: Sequence[KeptContact] = ()


def read_arguments(
    action: BulkAction, given: Mapping[str, Any], *, principal: Principal, now: datetime
) -> dict[str, Any]:
    """Return the checked arguments of the action, as JSON. Raises `FieldErrors`."""
    reader = ChangeReader(given)
    match action:
        case BulkAction.TAG | BulkAction.UNTAG:
            read_tags(reader)
            if not reader.values.get("tags"):
                reader.refuse("tags", "Send at least one tag.")
        case BulkAction.SUPPRESS:
            _read_suppression(reader)
            reader.values["source"] = (
                SuppressionSource.MANUAL if principal.key_id is None else SuppressionSource.API
            ).value
        case BulkAction.CONSENT:
            read_consent(reader)
            if "consent" not in reader.values:
                reader.refuse("consent", "Say what they agreed to.")
            at = reader.values.get("consent_at") or now
            reader.values["consent_at"] = at.isoformat()
        case BulkAction.DELETE:
            pass
    return reader.finish()


def _read_suppression(reader: ChangeReader) -> None:
    reader.text("reason", label="The reason", most=LONGEST_REASON)
    scope = reader.take("scope") or SuppressionScope.ALL.value
    if scope in set(SuppressionScope):
        reader.values["scope"] = str(scope)
    else:
        reader.refuse("scope", f"Use one of: {', '.join(SuppressionScope)}.")


async def act(
    session: AsyncSession, change: BulkChange, people: Sequence[BatchPerson], *, now: datetime
) -> ActionDone:
    """Change the people as the bulk change asks. Their rows are locked."""
    match change.action:
        case BulkAction.TAG:
            return await _tag(session, change, people, now=now)
        case BulkAction.UNTAG:
            return await _update(session, _UNTAG, people, tags=change.arguments["tags"], now=now)
        case BulkAction.CONSENT:
            texts = dict.fromkeys(
                ("consent_scope", "consent_source", "consent_wording", "consent_evidence"), ""
            )
            return await _update(session, _CONSENT, people, **texts | change.arguments, now=now)
        case BulkAction.SUPPRESS:
            return await _suppress(session, change, people, now=now)
        case BulkAction.DELETE:
            ids = [person.id for person in people]
            deleted, kept = await delete_contacts(session, change.organization_id, ids)
            return ActionDone(deleted, kept)


async def _update(
    session: AsyncSession, statement: Any, people: Sequence[BatchPerson], **values: Any
) -> ActionDone:
    changed = await session.execute(statement, values | {"ids": [person.id for person in people]})
    return ActionDone(len(changed.all()))


async def _tag(
    session: AsyncSession, change: BulkChange, people: Sequence[BatchPerson], *, now: datetime
) -> ActionDone:
    values = {
        "tags": change.arguments["tags"],
        "ids": [person.id for person in people],
        "most": MOST_TAGS,
        "now": now,
    }
    rows = (await session.execute(_TAG, values)).all()
    why = f"They would have more than {MOST_TAGS} tags."
    full = [KeptContact(row.id, row.number, why) for row in rows if not row.fits]
    return ActionDone(len(rows) - len(full), full)


async def _suppress(
    session: AsyncSession, change: BulkChange, people: Sequence[BatchPerson], *, now: datetime
) -> ActionDone:
    scope, reason = SuppressionScope(change.arguments["scope"]), change.arguments.get("reason", "")
    closed = await close_numbers(
        session,
        organization_id=change.organization_id,
        closings=[Closing(person.number, scope, reason) for person in people],
        source=SuppressionSource(change.arguments["source"]),
        actor=change.created_by,
        now=now,
    )
    return ActionDone(len(closed))
