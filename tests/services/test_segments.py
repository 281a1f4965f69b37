"""Segments: filters of the address book under a name."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.audience import AudienceMode
from app.domain.rights import Right, Role, has_right
from app.models import Audience, Organization, Segment
from app.services.contacts.queries import list_contacts
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.segments.operations import create_segment, delete_segment, update_segment
from app.services.segments.queries import get_segment, list_segments, segment_filter
from tests.support.builders import (
    NOON,
    make_campaign,
    make_contact,
    make_organization,
    make_segment,
    principal,
)

VIPS = {"conditions": [{"field": "tags", "op": "is", "value": "vip"}]}


async def create(session: AsyncSession, acme: Organization, **changes: Any) -> int:
    return await create_segment(session, principal=principal(acme), changes=changes, now=NOON)


async def test_a_segment_counts_who_is_in_it_now(session: AsyncSession, acme: Organization) -> None:
    segment_id = await create(session, acme, name="VIPs", filter=VIPS)
    someone = principal(acme)
    before = await get_segment(session, principal=someone, segment_ref=segment_id, now=NOON)
    await make_contact(session, acme, tags=["vip"])
    await make_contact(session, acme)
    after = await get_segment(session, principal=someone, segment_ref=segment_id, now=NOON)
    assert (before.count.count, after.count.count, after.name) == (0, 1, "VIPs")
    wanted = await segment_filter(session, principal=someone, segment_ref=segment_id)
    page = await list_contacts(session, principal=someone, wanted=wanted, now=NOON)
    assert [row.tags for row in page.items] == [["vip"]]


BLANK: tuple[dict[str, Any], ...] = (
    {},
    {"search": " "},
    {"search": "\u200b"},
    {"conditions": [], "match": "any", "search": None},
)


@pytest.mark.parametrize("blank", BLANK, ids=ascii)
async def test_a_filter_that_leaves_nobody_out_is_not_kept(
    session: AsyncSession, acme: Organization, blank: dict[str, Any]
) -> None:
    segment_id = await create(session, acme, name="VIPs", filter=VIPS)
    with pytest.raises(FieldErrors, match="filter: This filter means everybody"):
        await create(session, acme, name="All", filter=blank)
    with pytest.raises(FieldErrors, match="filter: This filter means everybody"):
        await update_segment(
            session, principal=principal(acme), segment_ref=segment_id, changes={"filter": blank}, now=NOON
        )


async def test_one_kept_before_that_was_refused_is_still_read(
    session: AsyncSession, acme: Organization
) -> None:
    await make_contact(session, acme)
    segment = await make_segment(session, acme, rule={"search": " "})
    view = await get_segment(session, principal=principal(acme), segment_ref=segment.id, now=NOON)
    assert view.count.count == 1
    await update_segment(
        session, principal=principal(acme), segment_ref=segment.id, changes={"name": "Old"}, now=NOON
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": "", "filter": VIPS}, {"name"}),
        ({"filter": VIPS}, {"name"}),
        ({}, {"name", "filter"}),
        ({"name": "x" * 201, "filter": VIPS}, {"name"}),
        ({"name": "vips", "filter": VIPS}, {"name"}),
        ({"name": "a", "filter": []}, {"filter"}),
        (
            {"name": "a", "filter": {"conditions": [{"field": "x", "op": "is"}]}},
            {"filter.conditions.0.field"},
        ),
        ({"name": "a", "filter": VIPS, "color": "red"}, {"color"}),
    ],
)
async def test_what_will_not_do_is_named(
    session: AsyncSession, acme: Organization, changes: dict[str, Any], fields: set[str]
) -> None:
    await make_segment(session, acme, name="VIPs")
    with pytest.raises(FieldErrors) as refused:
        await create(session, acme, **changes)
    assert refused.value.errors.keys() == fields


async def test_a_segment_is_renamed_and_changed(session: AsyncSession, acme: Organization) -> None:
    segment_id, someone = await create(session, acme, name="VIPs", filter={"search": "a"}), principal(acme)
    for changes in ({"name": "vips"}, {"filter": VIPS}):
        await update_segment(session, principal=someone, segment_ref=segment_id, changes=changes, now=NOON)
    view = await get_segment(session, principal=someone, segment_ref=segment_id, now=NOON)
    assert (view.name, len(view.wanted.conditions)) == ("vips", 1)


async def test_segments_are_listed_by_name(session: AsyncSession, acme: Organization) -> None:
    for name in ("b", "A", "cab"):
        await create(session, acme, name=name, filter=VIPS)
    listed = await list_segments(session, principal=principal(acme), now=NOON)
    found = await list_segments(session, principal=principal(acme), search="A", now=NOON)
    assert ([one.name for one in listed.items], [one.name for one in found.items]) == (
        ["A", "b", "cab"],
        ["A", "cab"],
    )


async def test_a_segment_that_a_campaign_keeps_adding_from_is_not_deleted(
    session: AsyncSession, acme: Organization
) -> None:
    campaign = await make_campaign(session, acme, name="Spring")
    segment = await make_segment(session, acme, name="VIPs", rule={"conditions": []})
    audience = Audience(
        organization_id=acme.id, campaign_id=campaign.id, segment_id=segment.id, mode=AudienceMode.STANDING,
        next_at=NOON, created_at=NOON,
    )  # fmt: skip
    session.add(audience)
    await session.flush()
    with pytest.raises(Conflict, match="“Spring” keeps adding the people of “VIPs”"):
        await delete_segment(session, principal=principal(acme), segment_ref=segment.id)
    audience.next_at = None
    await session.flush()
    await delete_segment(session, principal=principal(acme), segment_ref=segment.id)
    await session.refresh(audience)
    assert (await session.get(Segment, segment.id), audience.segment_id) == (None, None)
    assert audience.rule == {"conditions": []}


@pytest.mark.parametrize("role", list(Role))
async def test_segments_are_changed_by_those_with_the_right(
    session: AsyncSession, acme: Organization, role: Role
) -> None:
    segment, someone = await make_segment(session, acme), principal(acme, role)
    await list_segments(session, principal=someone, now=NOON)
    for act in (
        create_segment(session, principal=someone, changes={"name": "x", "filter": VIPS}, now=NOON),
        update_segment(session, principal=someone, segment_ref=segment.id, changes={}, now=NOON),
        delete_segment(session, principal=someone, segment_ref=segment.id),
    ):
        if has_right(role, Right.EDIT_CONTACTS):
            await act
        else:
            with pytest.raises(NotAllowed):
                await act


async def test_a_segment_of_another_organization_is_not_there(
    session: AsyncSession, acme: Organization
) -> None:
    segment, stranger = await make_segment(session, acme), principal(await make_organization(session))
    for act in (
        get_segment(session, principal=stranger, segment_ref=segment.id, now=NOON),
        update_segment(session, principal=stranger, segment_ref=segment.public_id, changes={}, now=NOON),
        delete_segment(session, principal=stranger, segment_ref=segment.id),
    ):
        with pytest.raises(NotFound):
            await act
    assert (await list_segments(session, principal=stranger, now=NOON)).items == []
