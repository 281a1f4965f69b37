"""Where a contact may be, and the rows of places: one for each that is distinct."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.places import Place, Resolved, resolve

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
