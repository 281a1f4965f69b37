"""The place of each contact, and of its recipients: set with every change of a card, and by a job for old cards.

Every writer of contacts calls `place_columns` for new ones and `place_contacts` for changed ones.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import sql
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.services.places.store import place_ids, place_of_contact

BATCH: Final = 2_000
"""Contacts that are resolved in one transaction."""

_EMPTY: Final[Mapping[str, Any]] = {"time_zone": "", "state": "", "country": "", "fields": {}}
_CARD: Final = "contact.id, number, time_zone, state, country, fields, place_id, zone_source"
_CARDS: Final = text(f"SELECT {_CARD} FROM contact WHERE id = ANY(CAST(:ids AS bigint[]))")  # noqa: S608 - as below
_OF_CAMPAIGN: Final = text(
    f"""
    SELECT {_CARD} FROM contact
    WHERE contact.place_id IS NULL
      AND contact.id IN (SELECT r.contact_id FROM recipient r
                         WHERE r.campaign_id = :campaign_id AND r.status = 'pending' AND r.place_id IS NULL
                         LIMIT :most)
    ORDER BY contact.number FOR NO KEY UPDATE SKIP LOCKED
    """  # noqa: S608 - a constant is put in, nothing a caller gives
)
# `updated_at` stays: it is the version of the card, and nothing on the card changes.
_PLACE: Final = text(
    """
    UPDATE contact SET place_id = found.place_id, zone_source = found.source
    FROM unnest(CAST(:ids AS bigint[]), CAST(:places AS bigint[]), CAST(:sources AS varchar[]))
         AS found (id, place_id, source)
    WHERE contact.id = found.id
    """
)
# Recipients that wait, or may wait again after their attempt. Ended ones get the place when they are put back.
_MOVE: Final = text(
    f"""
    UPDATE recipient r SET place_id = found.place_id
    FROM unnest(CAST(:ids AS bigint[]), CAST(:places AS bigint[])) AS found (id, place_id)
    WHERE r.contact_id = found.id AND r.status IN {sql.OPEN} AND r.place_id IS DISTINCT FROM found.place_id
    """  # noqa: S608 - a constant is put in, nothing a caller gives
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
_UNPLACED: Final = text(
    "SELECT id FROM contact WHERE place_id IS NULL ORDER BY id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED"
)


async def place_columns(session: AsyncSession, cards: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return `place_id` and `zone_source` for each new contact. `number` is needed; other columns may be missing."""
    resolved = [place_of_contact({**_EMPTY, **card}) for card in cards]
    ids = await place_ids(session, [each.place for each in resolved])
    return [{"place_id": ids[each.place], "zone_source": each.source.value} for each in resolved]


async def place_contacts(session: AsyncSession, contact_ids: Collection[int]) -> None:
    """Resolve the places of these contacts anew, for their waiting recipients too. The caller has locked them."""
    if not contact_ids:
        return
    cards = (await session.execute(_CARDS, {"ids": list(contact_ids)})).mappings().all()
    if changed := await _place(session, cards):
        await session.execute(_MOVE, {"ids": list(changed), "places": list(changed.values())})


async def resolve_recipients(session: AsyncSession, *, campaign_id: int, moved: Collection[int] = ()) -> int:
    """Give the waiting recipients of a campaign that have none their place, and `moved` that of their contact anew.

    Returns for how many. At most `BATCH` in one transaction; rows that others have locked wait for the next call.
    """
    given = {"campaign_id": campaign_id, "most": BATCH}
    await _place(session, (await session.execute(_OF_CAMPAIGN, given)).mappings().all())
    followed = await session.execute(_FOLLOW, given | {"moved": list(moved)})
    return len(followed.all())


async def _place(session: AsyncSession, cards: Sequence[Mapping[Any, Any]]) -> dict[int, int]:
    """Resolve these locked contacts, and store the places that are new to them; return contact -> its new place."""
    resolved = [place_of_contact(card) for card in cards]
    ids = await place_ids(session, [each.place for each in resolved])
    changed = {}
    for card, found in zip(cards, resolved, strict=True):
        place = ids[found.place], found.source.value
        if place != (card["place_id"], card["zone_source"]):
            changed[card["id"]] = place
    if changed:
        places, sources = zip(*changed.values(), strict=True)
        await session.execute(
            _PLACE, {"ids": list(changed), "places": list(places), "sources": list(sources)}
        )
    return {contact_id: place_id for contact_id, (place_id, _) in changed.items()}


async def place_unplaced(database: Database) -> None:
    """Resolve the place of every contact that has none, such as those from before places were kept.

    It works in batches, each one transaction: it can be killed at any moment, and goes on with what is left. A
    recipient that is added from a card at that moment has no place: the dialer gives it one (`resolve_recipients`).
    """
    while await database.write(_place_batch) == BATCH:
        pass


async def _place_batch(session: AsyncSession) -> int:
    """Place the next contacts; return how many."""
    ids = list((await session.execute(_UNPLACED, {"most": BATCH})).scalars())
    await place_contacts(session, ids)
    fault("before_places_commit")
    return len(ids)
