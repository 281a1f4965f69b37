"""Writes the contacts of a batch: adds new ones, and updates existing ones from the file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.contact_fields import CONSENT, MOST_TAGS
from app.models import sql
from app.services.imports.rows.copy_format import COLUMNS, CopyBatch, with_head
from app.services.imports.rows.row_parser import CARD
from app.services.imports.store.copy import copy_rows, planned_anew, stage
from app.services.places.contacts import place_contacts
from app.services.places.store import place_ids

_COLUMNS: Final = (*CARD, "tags", *CONSENT)
_NAMES: Final = ", ".join(_COLUMNS)
_PLAIN: Final = [name for name in CARD if name not in {"first_name", "last_name"}]

_ALL_TAGS: Final = """c.tags || ARRAY(
        SELECT u.tag FROM unnest(s.tags) WITH ORDINALITY u (tag, nth) WHERE u.tag <> ALL (c.tags)
        ORDER BY u.nth LIMIT greatest(0, :most_tags - cardinality(c.tags))
    ) AS new_tags"""

# A yes never replaces a no. A row without consent, or with `unknown`, changes no consent.
_SAYS: Final = f"s.consent <> 'unknown' AND c.consent NOT IN {sql.CONSENT_REFUSED}"
_TURNS: Final = f"{_SAYS} AND s.consent <> c.consent"
_NEW_MOMENT: Final = (
    f"CASE WHEN {_TURNS} THEN s.consent_at WHEN {_SAYS} THEN coalesce(c.consent_at, s.consent_at) "
    "ELSE c.consent_at END AS new_consent_at"
)
# Two consents for one channel each are one for both. One for every channel is not narrowed by a later one.
_NEW_SCOPE: Final = (
    f"CASE WHEN {_TURNS} THEN s.consent_scope WHEN {_SAYS} AND s.consent_scope <> c.consent_scope THEN '' "
    "ELSE c.consent_scope END AS new_consent_scope"
)
_CONSENT: Final = [
    f"CASE WHEN {_SAYS} THEN s.consent ELSE c.consent END AS new_consent",
    _NEW_SCOPE,
    *(
        f"CASE WHEN {_TURNS} THEN s.{name} WHEN {_SAYS} THEN coalesce(nullif(s.{name}, ''), c.{name}) "
        f"ELSE c.{name} END AS new_{name}"
        for name in ("consent_source", "consent_wording", "consent_evidence")
    ),
    _NEW_MOMENT,
]

# A text of the row replaces the contact's, an empty one does not; the parts of a name are replaced together.
# Tags are only added.
_MERGED: Final = ", ".join(
    [
        *(f"coalesce(nullif(s.{name}, ''), c.{name}) AS new_{name}" for name in _PLAIN),
        *(
            f"CASE WHEN s.name <> '' THEN s.{part} ELSE c.{part} END AS new_{part}"
            for part in ("first_name", "last_name")
        ),
        _ALL_TAGS,
        *_CONSENT,
    ]
)
_OLD: Final = ", ".join(f"'{name}', {name}" for name in _COLUMNS)
_NEW: Final = ", ".join(f"'{name}', new_{name}" for name in _COLUMNS)

# The old value of each changed column is stored, so that an undo restores exactly these.
_UPDATE_SQL: Final = """
WITH met AS MATERIALIZED (
    SELECT c.id, c.fields, c.updated_at, s.fields AS custom, {theirs}, {merged}
    FROM (SELECT * FROM import_stage ORDER BY number) s
    CROSS JOIN LATERAL (
        SELECT * FROM contact
        WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
            AND import_id IS DISTINCT FROM :import_id
        ORDER BY organization_id, number
        LIMIT 1
        FOR NO KEY UPDATE
    ) c
), changed AS MATERIALIZED (
    SELECT id, updated_at, fields || custom AS new_fields, {new_names},
        (SELECT coalesce(jsonb_object_agg(o.key, o.value), '{{}}')
         FROM jsonb_each(jsonb_build_object({old})) o
         WHERE o.value <> jsonb_build_object({new}) -> o.key) AS before,
        (SELECT coalesce(jsonb_object_agg(k.key, fields -> k.key), '{{}}')
         FROM jsonb_each(custom) k WHERE fields -> k.key IS DISTINCT FROM k.value) AS fields_before,
        (SELECT coalesce(jsonb_object_agg(k.key, k.value), '{{}}')
         FROM jsonb_each(custom) k WHERE fields -> k.key IS DISTINCT FROM k.value) AS fields_after
    FROM met
    WHERE ({names}) IS DISTINCT FROM ({new_names})
        OR NOT fields @> custom
), noted AS (
    INSERT INTO import_change (import_id, contact_id, before, after)
    SELECT :import_id, id,
        before || jsonb_build_object('fields', fields_before, 'updated_at', updated_at),
        (SELECT coalesce(jsonb_object_agg(b.key, jsonb_build_object({new}) -> b.key), '{{}}')
         FROM jsonb_each(before) b)
            || jsonb_build_object('fields', fields_after, 'updated_at', CAST(:now AS timestamptz))
    FROM changed
)
UPDATE contact SET fields = changed.new_fields, updated_at = :now,
    {assignments}
FROM changed WHERE contact.id = changed.id
RETURNING contact.id
"""

_LISTS: Final = {
    "names": _NAMES,
    "merged": _MERGED,
    "old": _OLD,
    "new": _NEW,
    "theirs": ", ".join(f"c.{name}" for name in _COLUMNS),
    "new_names": ", ".join(f"new_{name}" for name in _COLUMNS),
    "assignments": ", ".join(f"{name} = changed.new_{name}" for name in _COLUMNS),
}
_UPDATE: Final = text(_UPDATE_SQL.format(**_LISTS))


_NEW_IDS: Final = text(
    "SELECT array_agg(nextval(name)) FROM CAST(pg_get_serial_sequence('contact', 'id') AS regclass) name, "
    "generate_series(1, :count)"
)
_COPY: Final = (
    "COPY contact (organization_id, source, import_id, created_at, updated_at, id, place_id, zone_source, "
    f"{', '.join(COLUMNS)}) FROM STDIN"
)


_PLACES: Final = text(
    "SELECT c.id, c.place_id, p.zones FROM contact c LEFT JOIN place p ON p.id = c.place_id "
    "WHERE c.id = ANY(CAST(:ids AS bigint[]))"
)


class ContactPlace(NamedTuple):
    """The place of a contact."""

    id: int | None
    """None: the contact's place is not resolved yet."""
    zones: tuple[str, ...]


class Saved(NamedTuple):
    """The result of saving the contacts. Both maps are by index."""

    contacts: dict[int, int]
    """The id of each person's contact."""
    places: dict[int, ContactPlace]
    created: int
    updated: int


async def save_cards(
    session: AsyncSession,
    lines: CopyBatch,
    known: Mapping[int, int],
    *,
    organization_id: int,
    import_id: int,
    now: datetime,
) -> Saved:
    """Create the new contacts of a batch and update the `known` ones; store the old values.

    Raises psycopg's `UniqueViolation` if another transaction has added one of the new ones in the meantime.
    """
    new = [index for index in lines.order if index not in known]
    contacts = dict(known)
    # By identity: answers of `resolve` are kept and shared, and to hash a place for each row takes long.
    distinct = {id(lines.places[index]): lines.places[index].place for index in new}
    ids_of = await place_ids(session, distinct.values())
    found = {key: ContactPlace(ids_of[place], place.zones) for key, place in distinct.items()}
    places = {index: found[id(lines.places[index])] for index in new}
    if new:
        ids = (await session.execute(_NEW_IDS, {"count": len(new)})).scalar_one()
        contacts |= zip(new, ids, strict=True)
        head = (organization_id, f"import:{import_id}", import_id, now, now)
        cards = [
            f"{contact_id}\t{places[index].id}\t{lines.places[index].source}\t{lines.cards[index]}"
            for index, contact_id in zip(new, ids, strict=True)
        ]
        await copy_rows(session, _COPY, with_head(head, cards))
    if not known:
        return Saved(contacts, places, len(new), 0)
    await stage(session, [lines.cards[index] for index in lines.order if index in known])
    given = {"organization_id": organization_id, "import_id": import_id, "now": now}
    async with planned_anew(session):
        updated = (await session.execute(_UPDATE, given | {"most_tags": MOST_TAGS})).scalars().all()
    await place_contacts(session, updated)
    return Saved(contacts, places | await _places_of(session, known), len(new), len(updated))


async def _places_of(session: AsyncSession, known: Mapping[int, int]) -> dict[int, ContactPlace]:
    """Return the places of known contacts, by index."""
    rows = await session.execute(_PLACES, {"ids": list(known.values())})
    places = {row.id: ContactPlace(row.place_id, tuple(row.zones or ())) for row in rows}
    return {index: places[contact_id] for index, contact_id in known.items()}
