"""Adding people of the address book by a rule: snapshots, standing rules, exclusions, and what a crash does to them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.campaign import CampaignStatus
from app.domain.contact_filter import Condition, ContactFilter, Op, as_json
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Contact, Recipient, Segment
from app.runtime.database import Database
from app.runtime.fault_points import install
from app.services.campaigns import audiences
from app.services.campaigns.audiences import (
    AudienceRule,
    AudienceView,
    add_audience,
    advance,
    due_audiences,
    end_audience,
    list_audiences,
    preview_audience,
    read_rule,
)
from app.services.campaigns.lifecycle import resume_campaign, start_campaign
from app.services.campaigns.preflight import preflight
from app.services.campaigns.recipients import remove_recipients
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from app.services.numbers.carriers import CarrierIdentity
from app.services.suppression.operations import suppress
from tests.support.builders import make_campaign, make_contact, make_organization, make_segment, principal
from tests.support.stage import DialingStage, set_stage

_S = RecipientStatus
VIPS = AudienceRule(filter=ContactFilter((Condition("tags", Op.ANY_OF, ("vip",)),)))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Several batches of few people."""
    monkeypatch.setattr(audiences, "BATCH", 3)
    yield
    install(None)


async def people(stage: DialingStage, count: int, **values: Any) -> list[int]:
    """Put people into the address book."""
    async with stage.database.transaction() as session:
        return [(await make_contact(session, stage.organization, **values)).id for _ in range(count)]


async def paused(database: Database, **values: Any) -> DialingStage:
    return await set_stage(database, contacts=0, status=CampaignStatus.PAUSED, **values)


async def add(
    stage: DialingStage, rule: AudienceRule = VIPS, mode: AudienceMode = AudienceMode.SNAPSHOT
) -> AudienceView:
    async with stage.database.transaction() as session:
        return await add_audience(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            rule=rule,
            mode=mode,
            now=stage.clock.now(),
        )


async def work(stage: DialingStage) -> None:
    """Do all that is due, as the job does."""
    async with stage.database.session() as session:
        due = await due_audiences(session, now=stage.clock.now())
    for audience_id in due:
        await advance(stage.database, audience_id=audience_id, clock=stage.clock)


async def added(stage: DialingStage) -> list[int]:
    return [each.contact_id for each in await stage.recipients()]


async def state_of(stage: DialingStage) -> dict[int, AudienceView]:
    async with stage.database.session() as session:
        views = await list_audiences(
            session, principal=principal(stage.organization), campaign_ref=stage.campaign_id
        )
    return {view.id: view for view in views}


async def state(stage: DialingStage) -> AudienceView:
    (only,) = (await state_of(stage)).values()
    return only


async def test_a_snapshot_adds_everyone_who_matches_in_order_and_is_done(database: Database) -> None:
    stage = await paused(database)
    vips = await people(stage, 7, tags=["vip"])
    await people(stage, 2, tags=["other"])
    await add(stage)
    await work(stage)
    assert await added(stage) == vips
    over = await state(stage)
    assert (over.status, over.added, over.next_at) == (AudienceStatus.DONE, 7, None)


async def test_recipients_keep_what_their_cards_say_now(database: Database) -> None:
    stage = await paused(database)
    await people(stage, 1, tags=["vip"], name="Ada", fields={"plan": "gold"})
    await add(stage)
    await work(stage)
    (person,) = await stage.recipients()
    assert person.variables == {"name": "Ada", "plan": "gold"}


async def test_whoever_came_after_the_click_is_not_in_a_snapshot(database: Database) -> None:
    stage = await paused(database)
    early = await people(stage, 2, tags=["vip"])
    await add(stage)
    await people(stage, 1, tags=["vip"])
    await work(stage)
    assert await added(stage) == early


async def test_who_is_in_already_stays_as_they_are(database: Database) -> None:
    stage = await paused(database)
    vips = await people(stage, 4, tags=["vip"])
    await add(stage)
    await work(stage)
    assert (await state(stage)).already_in == 0
    preview = await previewed(stage)
    assert [str(each) for each in (preview.matching, preview.already_in, preview.would_add)] == [
        "4",
        "4",
        "0",
    ]
    vips += await people(stage, 5, tags=["vip"])
    second = await add(stage)
    await work(stage)
    assert await added(stage) == vips
    over = (await state_of(stage))[second.id]
    assert (over.added, over.already_in) == (5, 4)


async def previewed(stage: DialingStage, rule: AudienceRule = VIPS) -> audiences.AudiencePreview:
    async with stage.database.session() as session:
        return await preview_audience(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            rule=rule,
            now=stage.clock.now(),
        )


async def test_who_must_not_be_contacted_is_listed_as_skipped_with_the_reason(database: Database) -> None:
    stage = await paused(database)
    await people(stage, 2, tags=["vip"])
    async with database.transaction() as session:
        number = await session.scalar(select(func.min(Contact.number)))
        assert number is not None
        await suppress(
            session,
            organization_id=stage.organization.id,
            number=number,
            scope=SuppressionScope.ALL,
            reason="Asked by post",
            source=SuppressionSource.MANUAL,
            actor="test",
            now=stage.clock.now(),
        )
    await add(stage)
    await work(stage)
    assert await stage.statuses() == {_S.PENDING: 1, _S.SKIPPED: 1}
    over = await state(stage)
    assert (over.added, over.suppressed) == (1, 1)


async def test_a_segment_is_used_as_it_stands(database: Database) -> None:
    stage = await paused(database)
    vips = await people(stage, 2, tags=["vip"])
    async with database.transaction() as session:
        segment = Segment(
            organization_id=stage.organization.id,
            name="VIPs",
            rule=as_json(VIPS.filter),
            created_at=stage.clock.now(),
            updated_at=stage.clock.now(),
        )
        session.add(segment)
        await session.flush()
        segment_id = segment.id
    view = await add(stage, AudienceRule(segment_id=segment_id))
    await work(stage)
    assert view.segment_name == "VIPs"
    assert await added(stage) == vips


async def test_the_outcome_of_another_campaign_is_a_filter_too(database: Database) -> None:
    first = await set_stage(database, contacts=3)
    async with database.transaction() as session:
        await session.execute(text("UPDATE recipient SET status = 'no_answer' WHERE position < 3"))
        await session.execute(text("UPDATE recipient SET status = 'completed' WHERE position = 3"))
    outcome = Condition("campaign_status", Op.ANY_OF, (f"{first.campaign_id}:no_answer",))
    second = await _beside(first)
    await add(second, AudienceRule(filter=ContactFilter((outcome,))))
    await work(second)
    assert await added(second) == (await added(first))[:2]


async def test_who_was_contacted_of_late_or_is_in_a_chosen_campaign_is_left_out(database: Database) -> None:
    first = await set_stage(database, contacts=1)
    now = first.clock.now()
    lately = await people(first, 1, last_contacted_at=now - timedelta(days=2))
    before = await people(first, 1, last_contacted_at=now - timedelta(days=40))
    never = await people(first, 1)
    second = await _beside(first)
    await add(second, AudienceRule(not_contacted_for_days=30, not_in_campaigns=(first.campaign_id,)))
    await work(second)
    assert await added(second) == before + never
    assert lately[0] not in await added(second)


async def _beside(first: DialingStage) -> DialingStage:
    async with first.database.transaction() as session:
        made = await make_campaign(session, first.organization, status=CampaignStatus.PAUSED)
    return DialingStage(
        first.database, first.clock, first.carrier, first.organization, first.account, made.id
    )


def identity(stage: DialingStage) -> CarrierIdentity:
    account = stage.account
    return CarrierIdentity(
        kind=account.kind,
        account_sid=account.account_sid,
        api_url=account.api_url,
        simulated=account.simulated,
    )


async def test_a_snapshot_needs_a_draft_or_paused_campaign(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    with pytest.raises(Conflict, match="Pause the campaign first"):
        await add(stage)


async def test_a_paused_campaign_is_not_resumed_before_everyone_is_in(database: Database) -> None:
    stage = await paused(database)
    await people(stage, 2, tags=["vip"])
    await add(stage)
    with pytest.raises(Conflict, match="still being added"):
        async with database.transaction() as session:
            await resume_campaign(
                session,
                principal=principal(stage.organization),
                campaign_ref=stage.campaign_id,
                carrier=identity(stage),
                now=stage.clock.now(),
            )


async def test_a_standing_rule_keeps_adding_while_the_campaign_runs(database: Database) -> None:
    stage = await set_stage(database, contacts=0)
    first = await people(stage, 4, tags=["vip"])
    await add(stage, mode=AudienceMode.STANDING)
    await work(stage)
    assert (await state(stage)).status is AudienceStatus.STANDING
    later = await people(stage, 1, tags=["vip"])
    await work(stage)
    assert await added(stage) == first, "it looks again after a minute"
    stage.clock.advance(minutes=1)
    await work(stage)
    assert await added(stage) == first + later
    assert (await state(stage)).added == 5


async def test_someone_who_comes_to_match_is_added_too(database: Database) -> None:
    stage = await set_stage(database, contacts=0)
    (person,) = await people(stage, 1)
    await add(stage, mode=AudienceMode.STANDING)
    await work(stage)
    async with database.transaction() as session:
        (await session.get_one(Contact, person)).tags = ["vip"]
    stage.clock.advance(minutes=1)
    await work(stage)
    assert await added(stage) == [person]


async def test_a_draft_with_a_standing_rule_alone_starts_and_waits_for_people(database: Database) -> None:
    stage = await set_stage(database, contacts=0, status=CampaignStatus.DRAFT)
    carrier, owner = identity(stage), principal(stage.organization)
    asked: dict[str, Any] = {"principal": owner, "campaign_ref": stage.campaign_id, "carrier": carrier}
    with pytest.raises(FieldErrors, match="nobody to contact"):
        async with database.transaction() as session:
            await start_campaign(session, **asked, now=stage.clock.now())
    await add(stage, mode=AudienceMode.STANDING)
    await work(stage)
    async with database.transaction() as session:
        check = await preflight(session, **asked, now=stage.clock.now())
        assert (check.errors, check.awaits_people, check.people.contacted) == ({}, True, 0)
        assert any("waits" in warning for warning in check.warnings)
        await start_campaign(session, **asked, now=stage.clock.now())
    assert (await stage.dial(), await stage.complete()) == ((), False)
    (late,) = await people(stage, 1, tags=["vip"])
    stage.clock.advance(minutes=1)
    await work(stage)
    assert await added(stage) == [late]
    assert len(await stage.dial()) == 1


async def test_what_those_who_come_will_have_is_a_warning_and_no_obstacle(database: Database) -> None:
    words = {"welcome_message_template": "About {{deal_stage}}"}
    stage = await set_stage(database, contacts=0, status=CampaignStatus.DRAFT, step=words)
    await add(stage, mode=AudienceMode.STANDING)
    async with database.session() as session:
        check = await preflight(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
        )
    assert check.errors == {}
    assert any("{{deal_stage}} is not known yet" in warning for warning in check.warnings)


async def test_a_campaign_with_a_standing_rule_is_not_completed_before_a_person_ends_it(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=0)
    view = await add(stage, mode=AudienceMode.STANDING)
    await work(stage)
    assert not await stage.complete()
    async with database.transaction() as session:
        await end_audience(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            audience_id=view.id,
            now=stage.clock.now(),
        )
    assert await stage.complete()
    await people(stage, 1, tags=["vip"])
    stage.clock.advance(minutes=5)
    await work(stage)
    assert await added(stage) == []


async def test_a_rule_ends_with_its_campaign(database: Database) -> None:
    stage = await set_stage(database, contacts=0)
    await add(stage, mode=AudienceMode.STANDING)
    await stage.change(status=CampaignStatus.CANCELLED)
    await work(stage)
    assert (await state(stage)).status is AudienceStatus.ENDED


async def test_whom_a_standing_rule_would_add_again_is_not_removed(database: Database) -> None:
    stage = await paused(database)
    await people(stage, 1, tags=["vip"])
    await add(stage, mode=AudienceMode.STANDING)
    await work(stage)
    with pytest.raises(Conflict, match="Skip them instead"):
        async with database.transaction() as session:
            await remove_recipients(
                session,
                principal=principal(stage.organization),
                campaign_ref=stage.campaign_id,
                recipient_ids=None,
                now=stage.clock.now(),
            )


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("point", ["before_audience_commit", "after_audience_commit"])
@pytest.mark.parametrize("passed", [1, 2, 3])
async def test_a_crash_at_any_batch_loses_nobody_and_adds_nobody_twice(
    database: Database, point: str, passed: int
) -> None:
    stage = await paused(database)
    vips = await people(stage, 8, tags=["vip"])
    await add(stage)
    left = passed

    def die(at: str) -> None:
        nonlocal left
        left -= at == point
        if left == 0 and at == point:
            raise Killed

    install(die)
    with pytest.raises(Killed):
        await work(stage)
    install(None)
    await work(stage)
    assert await added(stage) == vips
    assert (await state(stage)).added == 8
    async with database.session() as session:
        positions = (await session.scalars(select(col(Recipient.position)))).all()
    assert sorted(positions) == list(range(1, 9))


async def test_a_segment_that_means_everybody_adds_nobody(database: Database) -> None:
    """One kept before such filters were refused: who asks for it is refused, and a rule that has it adds nobody."""
    stage = await paused(database)
    await people(stage, 3)
    owner = principal(stage.organization)
    async with database.transaction() as session:
        segment = await make_segment(session, stage.organization, name="E2", rule={"search": " "})
    async with database.session() as session:
        with pytest.raises(FieldErrors, match="segment_id: The filter of “E2” means everybody"):
            await read_rule(session, principal=owner, segment=segment.id)
    for mode in AudienceMode:
        await add(stage, AudienceRule(segment_id=segment.id), mode)
    await work(stage)
    assert await added(stage) == []
    assert {view.already_in for view in (await state_of(stage)).values()} == {0}
    async with database.session() as session:
        preview = await preview_audience(
            session,
            principal=owner,
            campaign_ref=stage.campaign_id,
            rule=AudienceRule(segment_id=segment.id),
            now=stage.clock.now(),
        )
    assert (preview.matching.count, preview.would_add.count) == (0, 0)


async def test_only_what_can_be_is_asked_for(database: Database) -> None:
    stage = await paused(database)
    async with database.transaction() as session:
        stranger = principal(await make_organization(session))
    owner = principal(stage.organization)
    async with database.session() as session:
        with pytest.raises(FieldErrors, match="not_contacted_for_days"):
            await read_rule(session, principal=owner, everyone=True, not_contacted_for_days=-1)
        with pytest.raises(FieldErrors, match=r"filter\.conditions\.0"):
            await read_rule(
                session, principal=owner, filter={"conditions": [{"field": "nothing", "op": "is"}]}
            )
        with pytest.raises(FieldErrors, match="not both"):
            await read_rule(session, principal=owner, segment=1, filter={})
        with pytest.raises(FieldErrors, match="everyone"):
            await read_rule(session, principal=owner)
        with pytest.raises(FieldErrors, match="not both"):
            await read_rule(session, principal=owner, everyone=True, filter={"search": "x"})
        with pytest.raises(FieldErrors, match="means everybody"):
            await read_rule(session, principal=owner, filter={"conditions": []})
        with pytest.raises(NotFound):
            await read_rule(session, principal=stranger, everyone=True, not_in_campaigns=[stage.campaign_id])
        with pytest.raises(NotFound):
            await preview_audience(
                session, principal=stranger, campaign_ref=stage.campaign_id, rule=VIPS, now=stage.clock.now()
            )
    with pytest.raises(NotAllowed):
        async with database.transaction() as session:
            await add_audience(
                session,
                principal=principal(stage.organization, Role.VIEWER),
                campaign_ref=stage.campaign_id,
                rule=VIPS,
                mode=AudienceMode.SNAPSHOT,
                now=stage.clock.now(),
            )
