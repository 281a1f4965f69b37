"""Changing many people at once: by a filter, in batches; and by their numbers, row by row."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.bulk_change import BulkAction, BulkStatus
from app.domain.campaign import CampaignStatus
from app.domain.consent import Consent
from app.domain.contact_filter import EVERYBODY, Condition, ContactFilter, Op
from app.domain.recipient import RecipientStatus
from app.models import BulkChange, Contact, Organization, Suppression
from app.runtime.database import Database
from app.services.contacts import bulk
from app.services.contacts.bulk import (
    BulkView,
    advance_bulk_change,
    begin_bulk_change,
    cancel_bulk_change,
    due_bulk_changes,
    get_bulk_change,
)
from app.services.contacts.deleting import ContactInUse, delete_contact
from app.services.contacts.upserting import RowOutcome, upsert_contacts
from app.services.errors import Conflict, FieldErrors, NotFound
from tests.support.builders import (
    NOON,
    make_bulk_change,
    make_campaign,
    make_contact,
    make_organization,
    make_recipient,
    principal,
)
from tests.support.clock import VirtualClock

HOUR = timedelta(hours=1)


async def change(
    session: AsyncSession,
    acme: Organization,
    action: str,
    wanted: ContactFilter = EVERYBODY,
    expected: int | None = 0,
    **arguments: Any,
) -> BulkView:
    """Of everybody the count is not at issue but where a test says so."""
    if expected == 0:
        ours = select(col(Contact.id)).where(col(Contact.organization_id) == acme.id)
        expected = len((await session.execute(ours)).all()) if wanted is EVERYBODY else None
    return await begin_bulk_change(
        session, principal=principal(acme), action=BulkAction(action), arguments=arguments, wanted=wanted,
        everyone=wanted is EVERYBODY, expected=expected, now=NOON + HOUR,
    )  # fmt: skip


def only(*contacts: Contact) -> ContactFilter:
    return ContactFilter((Condition("id", Op.ANY_OF, tuple(contact.id for contact in contacts)),))


@pytest.mark.parametrize("action", BulkAction)
async def test_a_filter_that_says_nothing_means_nobody(
    session: AsyncSession, acme: Organization, action: BulkAction
) -> None:
    """It emptied address books: a blank search is a mistake until everybody was said."""
    await make_contact(session, acme)
    for blank in (EVERYBODY, ContactFilter(), ContactFilter(search="")):
        with pytest.raises(FieldErrors, match="means everybody") as refused:
            await begin_bulk_change(
                session,
                principal=principal(acme),
                action=action,
                arguments={"tags": ["vip"]},
                wanted=blank,
                now=NOON,
            )
        assert set(refused.value.errors) == {"filter"}


async def test_everybody_is_deleted_only_if_they_are_as_many_as_was_said(
    session: AsyncSession, acme: Organization
) -> None:
    for _ in range(3):
        await make_contact(session, acme)
    with pytest.raises(FieldErrors, match="how many people you expect"):
        await change(session, acme, "delete", expected=None)
    with pytest.raises(Conflict, match="By now this means 3 people, not 2"):
        await change(session, acme, "delete", expected=2)
    with pytest.raises(Conflict, match="not 7"):
        await change(session, acme, "tag", ContactFilter(search="person"), expected=7, tags=["vip"])
    assert (await change(session, acme, "delete", expected=3)).changed == 3


async def test_people_are_tagged_and_untagged(session: AsyncSession, acme: Organization) -> None:
    ann = await make_contact(session, acme, tags=["lead", "vip"])
    bob = await make_contact(session, acme)
    stranger = await make_contact(session, await make_organization(session))
    view = await change(session, acme, "tag", tags=["vip", "new"])
    assert (view.status, view.matched, view.changed, view.refused) == (BulkStatus.COMPLETED, 2, 2, 0)
    assert (await change(session, acme, "tag", tags=["new"])).changed == 0
    assert (await change(session, acme, "untag", only(ann), tags=["lead"])).changed == 1
    for contact in (ann, bob, stranger):
        await session.refresh(contact)
    assert (ann.tags, bob.tags, stranger.tags) == (["vip", "new"], ["vip", "new"], [])
    assert (ann.updated_at, stranger.updated_at) == (NOON + HOUR, NOON)


async def test_who_has_too_many_tags_is_named(session: AsyncSession, acme: Organization) -> None:
    full = await make_contact(session, acme, tags=[f"t{n}" for n in range(50)])
    view = await change(session, acme, "tag", tags=["new"])
    assert (view.changed, [one.contact_id for one in view.refusals]) == (0, [full.id])
    assert "50" in view.refusals[0].reason


async def test_consent_is_set_with_its_evidence(session: AsyncSession, acme: Organization) -> None:
    contact = await make_contact(session, acme)
    said: dict[str, Any] = {
        "consent": "granted",
        "consent_source": "form",
        "consent_wording": "Yes, call me.",
    }
    assert (await change(session, acme, "consent", **said)).changed == 1
    assert (await change(session, acme, "consent", **said)).changed == 0
    await session.refresh(contact)
    assert (contact.consent, contact.consent_wording, contact.consent_at) == (
        Consent.GRANTED, "Yes, call me.", NOON + HOUR,
    )  # fmt: skip


async def test_people_are_suppressed_with_those_who_wait(session: AsyncSession, acme: Organization) -> None:
    contact = await make_contact(session, acme)
    waiting = await make_recipient(session, await make_campaign(session, acme), contact)
    view = await change(session, acme, "suppress", scope="voice", reason="asked")
    assert (view.changed, (await change(session, acme, "suppress", scope="voice")).changed) == (1, 0)
    row = (await session.execute(select(Suppression))).scalar_one()
    await session.refresh(waiting)
    assert (row.number, row.reason, row.actor) == (contact.number, "asked", "owner@example.com")
    assert waiting.status is RecipientStatus.SKIPPED


async def test_only_those_whom_no_campaign_knows_are_deleted(
    session: AsyncSession, acme: Organization
) -> None:
    running = await make_campaign(session, acme, name="Spring", status=CampaignStatus.RUNNING)
    over = await make_campaign(session, acme, name="Autumn", status=CampaignStatus.COMPLETED)
    free, waiting, past = [await make_contact(session, acme) for _ in range(3)]
    await make_recipient(session, running, waiting)
    await make_recipient(session, over, past, status=RecipientStatus.COMPLETED)
    view = await change(session, acme, "delete")
    reasons = {one.contact_id: one.reason for one in view.refusals}
    assert (view.changed, view.refused, set(reasons)) == (1, 2, {waiting.id, past.id})
    assert "“Spring”, which is not over" in reasons[waiting.id]
    assert "“Autumn”: its record" in reasons[past.id]
    left = set((await session.execute(select(col(Contact.id)))).scalars())
    assert left == {waiting.id, past.id}
    with pytest.raises(ContactInUse):
        await delete_contact(session, principal=principal(acme), contact_id=past.id)
    with pytest.raises(NotFound):
        await delete_contact(session, principal=principal(acme), contact_id=free.id)


@pytest.mark.parametrize(
    ("action", "arguments", "field"),
    [
        ("tag", {}, "tags"),
        ("tag", {"tags": ["x" * 51]}, "tags"),
        ("untag", {"tags": []}, "tags"),
        ("suppress", {"scope": "fax"}, "scope"),
        ("suppress", {"reason": "x" * 501}, "reason"),
        ("consent", {}, "consent"),
        ("consent", {"consent": "maybe"}, "consent"),
        ("consent", {"consent": "granted", "consent_at": "noon"}, "consent_at"),
        ("delete", {"tags": ["x"]}, "tags"),
    ],
)
async def test_an_argument_that_will_not_do_is_named(
    session: AsyncSession, acme: Organization, action: str, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldErrors) as refused:
        await change(session, acme, action, **arguments)
    assert list(refused.value.errors) == [field]


async def test_a_large_change_goes_on_in_a_job_and_meets_each_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 10)
    async with database.transaction() as session:
        acme = await make_organization(session)
        for _ in range(35):
            await make_contact(session, acme, tags=["old"])
        tagged = ContactFilter((Condition("tags", Op.ANY_OF, ("old",)),))
        view = await change(session, acme, "untag", tagged, tags=["old"])
        late = await make_contact(session, acme, tags=["old"])
    assert (view.status, view.matched) == (BulkStatus.RUNNING, 10)
    clock = VirtualClock(at=NOON + HOUR)
    async with database.session() as session:
        assert await due_bulk_changes(session, now=clock.now()) == [view.id]
    jobs = (advance_bulk_change(database, bulk_id=view.id, clock=clock) for _ in range(3))
    await asyncio.gather(*jobs)
    async with database.session() as session:
        done = await get_bulk_change(session, principal=principal(acme), bulk_ref=view.id)
        assert (done.status, done.matched, done.changed) == (BulkStatus.COMPLETED, 35, 35)
        assert (await session.get_one(Contact, late.id)).tags == ["old"]
        assert await due_bulk_changes(session, now=clock.now()) == []


async def test_a_cancelled_change_changes_nobody_more(database: Database) -> None:
    async with database.transaction() as session:
        acme = await make_organization(session)
        contact = await make_contact(session, acme)
        waiting = await make_bulk_change(session, acme)
        await cancel_bulk_change(session, principal=principal(acme), bulk_ref=waiting.id, now=NOON)
        with pytest.raises(Conflict):
            await cancel_bulk_change(session, principal=principal(acme), bulk_ref=waiting.id, now=NOON)
    await advance_bulk_change(database, bulk_id=waiting.id, clock=VirtualClock(at=NOON))
    async with database.session() as session:
        assert (await session.get_one(Contact, contact.id)).tags == []
        assert (await session.get_one(BulkChange, waiting.id)).status is BulkStatus.CANCELLED


# Adding and changing by number.


async def upsert(session: AsyncSession, acme: Organization, *rows: dict[str, Any]) -> list[RowOutcome]:
    found = await upsert_contacts(session, principal=principal(acme), rows=rows, now=NOON + HOUR)
    return [row.verdict for row in found]


async def test_rows_are_created_updated_left_or_rejected(session: AsyncSession, acme: Organization) -> None:
    known = await make_contact(
        session, acme, number="+12025550101", name="Ann", tags=["a"], fields={"k": "1"}
    )
    rows: tuple[dict[str, Any], ...] = (
        {"number": "(202) 555-0101", "company": "Acme", "tags": ["b"], "fields": {"l": "2"}},
        {"number": "+12025550102", "name": "Bob", "consent": "granted"},
        {"number": "12"},
        {"number": "+12025550102", "name": "Bobby"},
        {"number": "+12025550103", "email": "nobody"},
        {},
    )
    verdicts = await upsert(session, acme, *rows)
    assert verdicts == ["updated", "created", *["rejected"] * 4]
    again = await upsert(session, acme, *rows[:2])
    assert again == ["unchanged", "unchanged"]
    await session.refresh(known)
    assert (known.name, known.company, known.tags, known.fields) == (
        "Ann", "Acme", ["a", "b"], {"k": "1", "l": "2"},
    )  # fmt: skip
    bob = (await session.execute(select(Contact).where(col(Contact.name) == "Bob"))).scalar_one()
    assert (bob.consent, bob.consent_at, bob.source) == (Consent.GRANTED, NOON + HOUR, "manual")


async def test_a_rejected_row_says_what_to_change(session: AsyncSession, acme: Organization) -> None:
    rows: list[dict[str, Any]] = [
        {"number": "+12025550102"},
        {"number": "2025550102"},
        {"number": "1.5555E+10"},
    ]
    found = await upsert_contacts(session, principal=principal(acme), rows=rows, now=NOON)
    assert found[1].errors == {"number": "+12025550102 is in contact 1 of this request already."}
    assert "number" in found[2].errors


async def test_at_most_a_thousand_rows_come_at_once(session: AsyncSession, acme: Organization) -> None:
    with pytest.raises(FieldErrors):
        await upsert(session, acme, *[{"number": "+12025550101"}] * 1_001)


async def test_two_requests_with_the_same_person_add_them_once(database: Database) -> None:
    async with database.transaction() as session:
        acme = await make_organization(session)

    async def add() -> list[RowOutcome]:
        async with database.transaction() as session:
            return await upsert(session, acme, {"number": "+12025550101", "name": "Ann"})

    outcomes = [verdict for [verdict] in await asyncio.gather(*(add() for _ in range(4)))]
    assert outcomes.count(RowOutcome.CREATED) == 1
    async with database.session() as session:
        assert len((await session.execute(select(Contact))).all()) == 1
