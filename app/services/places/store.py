"""Stores where contacts may be: a row for each distinct place, and its id on contacts and on waiting recipients."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.places import Place, Resolved, resolve

AT_ONCE: Final = 2_000
"""People whose place is resolved in one transaction."""

POSTCODE_FIELDS: Final = ("postcode", "postal_code", "zip", "zip_code", "zipcode")
"""A contact's own fields that hold a postcode."""
_POSTCODES: Final = frozenset(POSTCODE_FIELDS)

# JSON, because PostgreSQL has no arrays of arrays of different lengths. The rows are inserted in one order, so that two
# transactions never wait for each other.
_STORE: Final = text(
    """
    WITH given AS (
        SELECT nth,
               ARRAY(SELECT jsonb_array_elements_text(value -> 0))::varchar[] AS zones,
               ARRAY(SELECT jsonb_array_elements_text(value -> 1))::varchar[] AS number_zones,
               ARRAY(SELECT jsonb_array_elements_text(value -> 2))::varchar[] AS laws
        FROM jsonb_array_elements(CAST(:places AS jsonb)) WITH ORDINALITY AS place (value, nth)
    ), added AS (
        INSERT INTO place (zones, number_zones, laws)
        SELECT zones, number_zones, laws FROM given
        WHERE NOT EXISTS (SELECT 1 FROM place p WHERE (p.zones, p.number_zones, p.laws)
                                                    = (given.zones, given.number_zones, given.laws))
        ORDER BY zones, number_zones, laws
        ON CONFLICT DO NOTHING
        RETURNING id, zones, number_zones, laws
    )
    SELECT given.nth, coalesce(place.id, added.id) AS id FROM given
    LEFT JOIN place USING (zones, number_zones, laws)
    LEFT JOIN added USING (zones, number_zones, laws)
    """
)


async def place_ids(session: AsyncSession, places: Collection[Place]) -> dict[Place, int]:
    """Return the id of each place. Those that are new are stored."""
    found: dict[Place, int] = {}
    missing = list(dict.fromkeys(places))
    while missing:
        given = json.dumps([(each.zones, each.number_zones, each.laws) for each in missing])
        rows = (await session.execute(_STORE, {"places": given})).all()
        found |= {missing[row.nth - 1]: row.id for row in rows if row.id is not None}
        # Another transaction has just added the same place: it can be read now.
        missing = [each for each in missing if each not in found]
    return found


def postcode_in(fields: Mapping[str, Any]) -> str:
    """Return the postcode among a contact's own fields; empty if there is none."""
    if _POSTCODES.isdisjoint(fields):
        return ""
    return next((str(fields[name]) for name in POSTCODE_FIELDS if fields.get(name)), "")


def place_of_contact(card: Mapping[Any, Any]) -> Resolved:
    """Return where a person may be: of a card with `number`, `time_zone`, `state`, `country` and `fields`."""
    return resolve(
        card["number"],
        time_zone=card["time_zone"],
        state=card["state"],
        country=card["country"],
        postcode=postcode_in(card["fields"]),
    )


_OF_CAMPAIGN: Final = """
    SELECT contact.id, contact.number, contact.time_zone, contact.state, contact.country, contact.fields
    FROM contact
    WHERE contact.place_id IS NULL
      AND contact.id IN (SELECT r.contact_id FROM recipient r
                         WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND r.place_id IS NULL
                         LIMIT :most)
    ORDER BY contact.number FOR NO KEY UPDATE SKIP LOCKED
"""

# `updated_at` stays: it is the version of the card, and nothing on the card changes.
_PLACE: Final = text(
    """
    UPDATE contact SET place_id = found.place_id, zone_source = found.source
    FROM unnest(CAST(:ids AS bigint[]), CAST(:places AS bigint[]), CAST(:sources AS varchar[]))
         AS found (id, place_id, source)
    WHERE contact.id = found.id
    """
)

_FOLLOW: Final = text(
    """
    WITH chosen AS (
        SELECT r.id, contact.place_id FROM recipient r JOIN contact ON contact.id = r.contact_id
        WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND contact.place_id IS NOT NULL
          AND (r.place_id IS NULL OR r.id = ANY(CAST(:moved AS bigint[])))
        ORDER BY r.id LIMIT :most FOR NO KEY UPDATE OF r SKIP LOCKED
    )
    UPDATE recipient SET place_id = chosen.place_id FROM chosen WHERE recipient.id = chosen.id
    RETURNING recipient.id
    """
)


async def resolve_recipients(
    session: AsyncSession, *, campaign_id: int, moved: Collection[int] = (), most: int = AT_ONCE
) -> int:
    """Give the waiting recipients of a campaign that have none their place, and `moved` that of their contact anew.

    Returns for how many. At most `most` in one transaction; rows that others have locked wait for the next call.
    """
    given = {"campaign_id": campaign_id, "most": most}
    cards = (await session.execute(text(_OF_CAMPAIGN), given)).mappings().all()
    if cards:
        await store_places(session, cards)
    followed = await session.execute(_FOLLOW, given | {"moved": list(moved)})
    return len(followed.all())


async def store_places(session: AsyncSession, cards: Collection[Mapping[Any, Any]]) -> None:
    """Resolve the place of these contacts (`id` and what `place_of_contact` needs), and store it. They are locked."""
    resolved = {card["id"]: place_of_contact(card) for card in cards}
    ids = await place_ids(session, [each.place for each in resolved.values()])
    await session.execute(
        _PLACE,
        {
            "ids": list(resolved),
            "places": [ids[each.place] for each in resolved.values()],
            "sources": [each.source.value for each in resolved.values()],
        },
    )
