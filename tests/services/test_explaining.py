"""What the pages say about each person is what the dispatcher then does, in worlds that are made at random."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import DIALING, CampaignStatus, Purpose
from app.domain.consent import Consent
from app.domain.gate import ENDS, Rule
from app.domain.legal_policy import LegalPolicy
from app.domain.number_health import NumberRest
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.domain.waiting import WaitReason
from app.models import Campaign, Contact, Organization, PhoneNumber, Recipient, Suppression
from app.runtime.database import Database
from app.services.dialing import explain as explaining
from app.services.dialing.explain import Explanation, explain
from app.services.places.hours import hours_of_organization, opening_at, rules_of
from app.services.places.store import place_of_contact
from tests.support.builders import make_attempt, make_campaign, make_contact, make_recipient, principal
from tests.support.numbers import new_number
from tests.support.stage import DialingStage, set_stage

WORLDS: Final = range(30)

PLACES: Final[tuple[tuple[int, dict[str, str]], ...]] = (
    (212, {}),
    (808, {}),
    (602, {}),
    (800, {}),
    (305, {"state": "FL", "country": "US"}),
    (212, {"time_zone": "Asia/Kolkata"}),
    (423, {}),
)
"""Area codes and cards: New York, Honolulu, Phoenix, toll-free, Florida, a phone in India, a code of two zones."""

CAMPAIGN_WIDE: Final = frozenset(
    {
        Rule.STOP_SWITCH,
        Rule.CAMPAIGN_STATE,
        Rule.BUDGET,
        Rule.PILOT,
        Rule.RAMP,
        Rule.CALLER_ID,
        Rule.PACING,
    }
)
"""Rules under which a pass looks at nobody."""

ALL_WEEK: Final = [1, 2, 3, 4, 5, 6, 7]

HOURS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {
        "calling_clock": "contact",
        "calling_windows": [{"days": [1, 2, 3, 4, 5], "start": "09:00", "end": "18:00"}],
    },
    {
        "calling_clock": "campaign",
        "calling_windows": [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "08:00", "end": "20:00"}],
    },
    {
        "calling_clock": "contact",
        "calling_windows": [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "20:00", "end": "04:00"}],
    },
)

FLAWS: Final = (
    "none", "suppressed", "denied", "unknown consent", "used up", "no text", "number in use", "held", "was held",
    "capped", "retry", "stored hold", "stored cap", "unresolved",
)  # fmt: skip


@dataclass
class World:
    """One campaign in a random state, with people who each have at most one flaw, and a clean twin for each place."""

    random: Random
    stage: DialingStage
    slots: int = 0
    starts: int = 1_000
    """How many calls our number may still start."""

    async def explain(self) -> dict[int, Explanation]:
        """Ask why, for everybody."""
        ids = [each.id for each in await self.stage.recipients()]
        async with self.stage.database.session() as session:
            return await explain(
                session,
                principal=principal(self.stage.organization),
                campaign_ref=self.stage.campaign_id,
                recipient_ids=ids,
                now=self.stage.clock.now(),
            )

    async def is_open(self) -> dict[int, bool]:
        """Return where the calling hours are open now, by recipient."""
        async with self.stage.database.session() as session:
            campaign = await session.get_one(Campaign, self.stage.campaign_id)
            organization = await session.get_one(Organization, campaign.organization_id)
            rules = rules_of(vars(campaign) | hours_of_organization(organization))
            now, found = self.stage.clock.now(), {}
            for person in await self.stage.recipients():
                contact = await session.get_one(Contact, person.contact_id)
                place = place_of_contact(vars(contact)).place
                found[person.id] = opening_at(rules, place, now=now).is_open(now)
            return found


async def build(database: Database, seed: int) -> World:
    """Make the world of this seed."""
    random = Random(seed)
    hours = random.choice(HOURS)
    cap = random.choice([0, 0, 1, 2])
    stage = await set_stage(
        database,
        contacts=0,
        organization={
            "frequency_cap": cap,
            "legal_policy": random.choice(list(LegalPolicy)),
            "dialing_stopped_at": datetime(2026, 3, 1, tzinfo=UTC) if random.random() < 0.06 else None,
        },
        step={"welcome_message_template": "Hi {{name}} in {{city}}."},
        missing="skip",
        purpose=random.choice(list(Purpose)),
        concurrent_limit=random.choice([3, 8, 1000]),
        time_zone=random.choice(["America/New_York", "America/Los_Angeles"]),
        **hours,
    )
    stage.clock.advance(hours=random.randrange(24 * 7))
    world = World(random, stage)
    async with database.transaction() as session:
        campaign = await session.get_one(Campaign, stage.campaign_id)
        other = await make_campaign(session, stage.organization, name="Another")
        for area, card in random.sample(PLACES, k=4):
            for flaw in ("none", "capped", *random.sample(FLAWS, k=4)):
                await _add(world, session, campaign, other, flaw, area=area, card=card)
        await _disturb(world, session, campaign)
    return world


async def _add(
    world: World,
    session: AsyncSession,
    campaign: Campaign,
    other: Campaign,
    flaw: str,
    *,
    area: int,
    card: dict[str, str],
) -> None:
    """Add a person with this flaw."""
    now, random = world.stage.clock.now(), world.random
    number = new_number(area)
    consent = {"denied": Consent.DENIED, "unknown consent": Consent.UNKNOWN}.get(flaw, Consent.GRANTED)
    until = now + timedelta(hours=random.randrange(1, 200))
    held = {"held": until, "stored hold": until, "was held": now - timedelta(hours=1)}.get(flaw)
    contact = await make_contact(
        session,
        world.stage.organization,
        number=number,
        consent=consent,
        held_until=held,
        held_reason=random.choice(["", "on holiday"]) if held else "",
        **card,
    )
    stored = {"stored hold": "hold", "stored cap": "frequency"}.get(flaw)
    later = flaw == "retry" or stored is not None
    made = {"used up": 3, "retry": 1}.get(flaw, 0)
    recipient = await make_recipient(
        session,
        campaign,
        contact,
        variables={} if flaw == "no text" else {"city": "Paris"},
        attempts_made=made,
        not_before=until if later else now - timedelta(minutes=random.randrange(60)),
        blocked_by=stored,
        last_disposition=Disposition.NO_ANSWER if made else None,
    )
    await _trouble(world, session, other, contact, flaw)
    if flaw == "unresolved":
        contact.place_id = recipient.place_id = None
        contact.zone_source = ""


async def _trouble(world: World, session: AsyncSession, other: Campaign, contact: Contact, flaw: str) -> None:
    """Write what other rows say about the person."""
    now = world.stage.clock.now()
    if flaw == "suppressed":
        session.add(
            Suppression(
                organization_id=contact.organization_id,
                number=contact.number,
                scope=SuppressionScope.ALL,
                reason="The person texted “STOP”.",
                source=SuppressionSource.STOP_MESSAGE,
                created_at=now - timedelta(days=3),
            )
        )
    if flaw in {"number in use", "capped"}:
        live = flaw == "number in use"
        ours = (await session.get_one(Campaign, world.stage.campaign_id)).phone_number_id
        for ordinal in range(1, 2 if live else 4):
            await make_attempt(
                session,
                await make_recipient(session, other, contact) if ordinal == 1 else world_last(session),
                number=await session.get_one(PhoneNumber, ours),
                status=AttemptStatus.RINGING if live else AttemptStatus.COMPLETED,
                carrier_account=world.stage.account,
                ordinal=ordinal,
                provider_id=f"CA{contact.id:020x}{ordinal:012x}",
                reserved_at=now - timedelta(hours=30 if live else 3, minutes=ordinal),
                ended_as=None if live else "completed",
                disposition=None if live else Disposition.NO_ANSWER,
            )


def world_last(session: AsyncSession) -> Recipient:
    """Return the recipient that was added last to the other campaign in this session."""
    return max(
        (each for each in session.identity_map.values() if isinstance(each, Recipient)),
        key=lambda one: one.id,
    )


async def _disturb(world: World, session: AsyncSession, campaign: Campaign) -> None:
    """Put the campaign, its number and its pace in a random state."""
    now, random = world.stage.clock.now(), world.random
    number = await session.get_one(PhoneNumber, campaign.phone_number_id)
    world.slots = campaign.concurrent_limit
    match random.choice(["none"] * 6 + ["state", "rest", "cap", "turned away", "turned away before"]):
        case "state":
            campaign.status = random.choice(sorted(set(CampaignStatus) - DIALING))
            campaign.scheduled_at = now + timedelta(days=1)
        case "rest":
            number.rest, number.resting_until = NumberRest.LOW_ANSWER_RATE, now + timedelta(hours=1)
        case "cap":
            number.daily_cap = world.starts = random.choice([1, 3])
        case "turned away":
            campaign.gate_rule, campaign.gate_until = Rule.PACING, now + timedelta(seconds=5)
            campaign.gate_why = "The carrier takes no more."
        case "turned away before":
            campaign.gate_rule, campaign.gate_until = Rule.PACING, now - timedelta(seconds=5)
            campaign.gate_why = "The carrier takes no more."
        case _:
            pass


def in_order(people: Sequence[Recipient]) -> list[Recipient]:
    """Return people in dialing order."""
    return sorted(people, key=lambda one: (one.blocked_by != "number_in_use", one.not_before, one.position))


def done(before: Recipient, after: Recipient) -> tuple[str, str | None]:
    """Return what a pass did to a person: "reserved", "ended" or "snoozed" with the rule, or "left"."""
    if after.status is RecipientStatus.IN_PROGRESS:
        return "reserved", None
    if after.status is not RecipientStatus.PENDING:
        return "ended", after.blocked_by
    if (before.not_before, before.blocked_by) != (after.not_before, after.blocked_by):
        return "snoozed", after.blocked_by
    return "left", None


def expected(rule: str, *, is_open: bool, looks: bool) -> tuple[str, str | None]:
    """Return what a pass must do to a person about whom this was said."""
    if not looks or not is_open:
        return "left", None
    if rule == WaitReason.DUE:
        return "reserved", None
    if rule in ENDS:
        return "ended", rule
    if rule in {Rule.NUMBER_IN_USE, Rule.HOLD, Rule.FREQUENCY}:
        return "snoozed", rule
    return "left", None


async def compare(world: World) -> Counter[str]:
    """Explain, let the dispatcher make a pass, and compare; return how many people each rule was said of."""
    said = await world.explain()
    is_open = await world.is_open()
    before = await world.stage.recipients()
    now = world.stage.clock.now()
    is_due = {each.id: each.not_before <= now for each in before}
    pending = [each for each in before if each.status is RecipientStatus.PENDING]
    rules = {each.id: said[each.id].told.rule for each in pending}
    # A clean person is in each place: if the campaign as a whole waits, it is said of that one at the latest.
    looks = not CAMPAIGN_WIDE & set(rules.values())
    made = await world.stage.reserve()
    after = {each.id: each for each in await world.stage.recipients()}
    turn = [each for each in in_order(pending) if rules[each.id] == WaitReason.DUE]
    room = min(world.slots, world.starts)
    for person in pending:
        rule = rules[person.id]
        wanted = expected(rule, is_open=is_open[person.id] and is_due[person.id], looks=looks)
        if person in turn[room:]:
            wanted = ("left", None)  # It was due, and all lines were taken before its turn.
        told = f"{rule}: {said[person.id].told.why} ({json.dumps(world.stage.campaign_id)})"
        assert done(person, after[person.id]) == wanted, told
        if rule == WaitReason.CALLING_HOURS:
            assert not is_open[person.id], told
    assert len(made) == min(len(turn), room)
    assert not turn or looks
    return Counter(rules.values())


async def lift(world: World) -> None:
    """Let the campaign dial at any hour, so that a pass looks at everybody who is due."""
    async with world.stage.database.transaction() as session:
        campaign = await session.get_one(Campaign, world.stage.campaign_id)
        organization = await session.get_one(Organization, campaign.organization_id)
        number = await session.get_one(PhoneNumber, campaign.phone_number_id)
        campaign.status, campaign.calling_windows = CampaignStatus.RUNNING, []
        campaign.gate_rule = campaign.gate_until = campaign.gate_why = None
        campaign.concurrent_limit = world.slots = 1_000
        organization.legal_policy, organization.dialing_stopped_at = LegalPolicy.OFF, None
        number.rest, number.resting_until, number.daily_cap = None, None, 0
    world.starts = 1_000


@pytest.mark.parametrize("seed", WORLDS)
async def test_what_is_said_of_each_person_is_what_the_dispatcher_does(database: Database, seed: int) -> None:
    world = await build(database, seed)
    await compare(world)
    # Those who were not looked at: with all that held the campaign or their place away, the same is done as was said.
    said = {person: each for person, each in (await world.explain()).items() if each.is_waiting}
    await lift(world)
    now_said = await world.explain()
    own = ENDS | {Rule.NUMBER_IN_USE, Rule.HOLD}
    for person, each in said.items():
        if each.told.rule in own:
            assert now_said[person].told.rule == each.told.rule
    await compare(world)


async def test_worlds_know_every_rule(database: Database) -> None:
    """A world that never has a rule proves nothing about it."""
    met: Counter[str] = Counter()
    for seed in WORLDS:
        world = await build(database, seed)
        met += await compare(world)
    rare = {Rule.RECIPIENT_STATE, Rule.BUDGET, Rule.PILOT, Rule.RAMP}
    assert {*Rule, *WaitReason} - rare - met.keys() == set()


async def test_a_pilot_under_way_is_said_of_all_who_wait_for_it(database: Database) -> None:
    stage = await set_stage(database, contacts=3, pilot_size=1)
    assert len(await stage.reserve()) == 1
    assert await stage.reserve() == ()  # The dispatcher stores that it waits for the pilot.
    said = await World(Random(0), stage).explain()
    rules = [said[each.id].told.rule for each in await stage.recipients()]
    assert rules == [RecipientStatus.IN_PROGRESS, Rule.PILOT, Rule.PILOT]
    assert await stage.reserve() == ()


async def test_somebody_who_is_reserved_while_the_page_reads_was_due(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await set_stage(database, contacts=1)
    (recipient,) = await stage.recipients()

    async def reserved_meanwhile(*_: object, **__: object) -> tuple[()]:
        await stage.dial()
        return ()

    monkeypatch.setattr(explaining, "prepare_these", reserved_meanwhile)
    async with database.session() as session:
        told = await explain(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            recipient_ids=[recipient.id],
            now=stage.clock.now(),
        )
    assert told[recipient.id].told.rule == WaitReason.DUE
