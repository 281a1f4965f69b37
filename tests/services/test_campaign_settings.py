"""Making and changing campaigns."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.attempt import Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.calling_hours import HoursClock, Window
from app.domain.campaign import EDITABLE, CampaignStatus, Channel, CompanyMeaning, Purpose, ScheduleType
from app.domain.pool import NumberStrategy
from app.domain.recipient import RecipientStatus
from app.domain.retry import RetryOutcome
from app.domain.rights import Role
from app.services.campaigns.operations import (
    create_campaign,
    delete_campaign,
    duplicate_campaign,
    update_campaign,
)
from app.services.campaigns.rows import load_rows
from app.services.campaigns.settings import DEFAULTS, CampaignSettings, calling_hours_of, delays_of
from app.services.errors import ChangedMeanwhile, Conflict, FieldErrors, NotAllowed, NotFound
from tests.services.campaign_world import CampaignWorld, build_world
from tests.support.builders import NOON, make_number


async def _settings(world: CampaignWorld, campaign_id: int) -> CampaignSettings:
    async with world.database.session() as session:
        return (await load_rows(session, world.someone(), campaign_id)).settings


async def _errors(world: CampaignWorld, **changes: Any) -> dict[str, str]:
    with pytest.raises(FieldErrors) as refused:
        await world.do(create_campaign, changes={"name": "March"} | changes)
    return refused.value.errors


async def test_a_new_campaign_is_a_draft_with_the_documented_defaults(world: CampaignWorld) -> None:
    campaign_id = await world.do(create_campaign, changes={"name": " March reminders "})

    settings = await _settings(world, campaign_id)
    assert await world.status(campaign_id) is CampaignStatus.DRAFT
    assert settings.name == "March reminders"
    assert (settings.max_attempts, settings.retry_delay_minutes, settings.concurrent_limit) == (3, 30, 5)
    assert (settings.rate_limit_per_minute, settings.messages_per_second) == (10, 1)
    assert settings.retry_on == (Disposition.NO_ANSWER, Disposition.BUSY, Disposition.CARRIER_ERROR)
    assert settings.time_zone == world.organization.time_zone


async def test_every_setting_is_kept_as_it_was_given(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        second = await make_number(session, world.organization)
    changes: dict[str, Any] = {
        "name": "Reminders",
        "description": "For March",
        "channel": "sms",
        "agent_id": str(world.agent.public_id),
        "phone_number_id": world.number.id,
        "number_pool": [str(second.public_id), world.number.id, second.id],
        "welcome_message_template": "Hi {{name|title_case}}.",
        "agenda_template": "About {{appointment_date}}.",
        "question_template": "Will you come?",
        "end_call_message_template": "Bye.",
        "sms_message_template": "See you on {{appointment_date}}.",
        "fallback_values": {"Appointment Date": "your day"},
        "missing": "keep",
        "company_meaning": "contact",
        "schedule_type": "scheduled",
        "scheduled_at": "2026-03-11T09:00:00-04:00",
        "time_zone": "Europe/Berlin",
        "allowed_start": "9:00",
        "allowed_end": "17:30",
        "allowed_days": ["friday", 1],
        "calling_windows": [
            {"start": "9:00", "end": "17:30", "days": [1, "friday"]},
            {"start": "22:00", "end": "02:00", "days": ["saturday"]},
        ],
        "calling_clock": "contact",
        "purpose": "marketing",
        "concurrent_limit": "7",
        "rate_limit_per_minute": 60,
        "throttle_delay_ms": 250,
        "messages_per_second": 4,
        "max_attempts": 2,
        "number_strategy": "sticky",
        "retry_delays": "30, 60 ,120",
        "retry_delays_by_outcome": {"busy": [5, 15], "voicemail": "240", "failed": ""},
        "retry_back_off": True,
        "retry_other_number": True,
        "retry_on": ["busy", "failed"],
        "weight": 3,
        "pilot_size": 20,
        "ramp": True,
        "budget_cap": "99.5",
        "breaker": {"failure_rate": "30", "opt_out_rate": 2.5, "window": 100},
        "ring_timeout_seconds": 20,
        "time_limit_seconds": 300,
        "enable_voicemail_detection": False,
    }
    campaign_id = await world.do(create_campaign, changes=changes)

    assert await _settings(world, campaign_id) == CampaignSettings(
        name="Reminders",
        description="For March",
        channel=Channel.SMS,
        agent_id=world.agent.id,
        phone_number_id=world.number.id,
        number_pool=(second.id, world.number.id),
        welcome_message_template="Hi {{name|title_case}}.",
        agenda_template="About {{appointment_date}}.",
        question_template="Will you come?",
        end_call_message_template="Bye.",
        sms_message_template="See you on {{appointment_date}}.",
        fallback_values={"appointment_date": "your day"},
        missing=changes["missing"],
        company_meaning=CompanyMeaning.CONTACT,
        schedule_type=ScheduleType.SCHEDULED,
        scheduled_at=datetime(2026, 3, 11, 13, 0, tzinfo=UTC),
        time_zone="Europe/Berlin",
        allowed_start="09:00",
        allowed_end="17:30",
        allowed_days=(1, 5),
        calling_windows=(
            Window(time(9), time(17, 30), frozenset({1, 5})),
            Window(time(22), time(2), frozenset({6})),
        ),
        calling_clock=HoursClock.CONTACT,
        purpose=Purpose.MARKETING,
        concurrent_limit=7,
        rate_limit_per_minute=60,
        throttle_delay_ms=250,
        messages_per_second=4,
        max_attempts=2,
        number_strategy=NumberStrategy.STICKY,
        retry_delay_minutes=30,
        retry_delays=(30, 60, 120),
        retry_delays_by_outcome={RetryOutcome.BUSY: (5, 15), RetryOutcome.VOICEMAIL: (240,)},
        retry_back_off=True,
        retry_other_number=True,
        retry_on=(Disposition.BUSY, Disposition.CARRIER_ERROR, Disposition.UNDELIVERED),
        weight=3,
        pilot_size=20,
        ramp=True,
        budget_cap=Decimal("99.50"),
        breaker=BreakerPolicy(failure_rate=30, opt_out_rate=2.5, window=100),
        ring_timeout_seconds=20,
        time_limit_seconds=300,
        enable_voicemail_detection=False,
    )


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("name", "", "name"),
        ("name", None, "name"),
        ("name", "n" * 201, "name"),
        ("name", 5, "name"),
        ("description", "d" * 2001, "description"),
        ("channel", "fax", "channel"),
        ("agent_id", 999, "agent_id"),
        ("agent_id", "no id", "agent_id"),
        ("phone_number_id", 2**70, "phone_number_id"),
        ("number_pool", [999], "number_pool"),
        ("number_pool", "12", "number_pool"),
        ("welcome_message_template", "Hi {{name", "welcome_message_template"),
        ("sms_message_template", "{% for x in y %}{% endfor %}", "sms_message_template"),
        ("fallback_values", ["x"], "fallback_values"),
        ("fallback_values", {"?": "x"}, "fallback_values"),
        ("fallback_values", {"a": "x" * 501}, "fallback_values"),
        ("missing", "guess", "missing"),
        ("schedule_type", "hourly", "schedule_type"),
        (
            "recurring_config",
            {"frequency": "hourly", "time": "09:00", "time_zone": "UTC"},
            "recurring_config.frequency",
        ),
        ("scheduled_at", "tomorrow", "scheduled_at"),
        ("scheduled_at", "2024-02-15T09:00:00Z", "scheduled_at"),
        ("time_zone", "Mars/Olympus", "time_zone"),
        ("time_zone", "../etc/passwd", "time_zone"),
        ("allowed_start", "25:00", "allowed_start"),
        ("allowed_start", "09:00", "allowed_end"),
        ("allowed_end", "09:00", "allowed_start"),
        ("allowed_days", ["someday"], "allowed_days"),
        ("allowed_days", [0], "allowed_days"),
        ("calling_windows", "09:00 to 17:00", "calling_windows"),
        ("calling_windows", ["09:00 to 17:00"], "calling_windows.0"),
        ("calling_windows", [{"start": "09:00", "end": "17:00", "zone": "UTC"}], "calling_windows.0"),
        ("calling_windows", [{"start": "09:00", "end": "09:00"}], "calling_windows.0.end"),
        ("calling_windows", [{"start": "09:00", "end": "17:00", "days": []}], "calling_windows.0.days"),
        (
            "calling_windows",
            [{"start": "09:00", "end": "12:00"}, {"end": "17:00"}],
            "calling_windows.1.start",
        ),
        ("calling_windows", [{"start": "09:00", "end": "17:00"}] * 29, "calling_windows"),
        ("calling_clock", "mine", "calling_clock"),
        ("purpose", "spam", "purpose"),
        ("concurrent_limit", 0, "concurrent_limit"),
        ("concurrent_limit", 1001, "concurrent_limit"),
        ("concurrent_limit", "many", "concurrent_limit"),
        ("concurrent_limit", 1.5, "concurrent_limit"),
        ("concurrent_limit", True, "concurrent_limit"),
        ("rate_limit_per_minute", 0, "rate_limit_per_minute"),
        ("throttle_delay_ms", -1, "throttle_delay_ms"),
        ("messages_per_second", 0, "messages_per_second"),
        ("max_attempts", 21, "max_attempts"),
        ("retry_delay_minutes", -5, "retry_delay_minutes"),
        ("retry_delays", "30, soon", "retry_delays"),
        ("retry_delays", [30, 43_201], "retry_delays"),
        ("retry_delays", [1] * 20, "retry_delays"),
        ("retry_delays", 30, "retry_delays"),
        ("retry_delays_by_outcome", [30], "retry_delays_by_outcome"),
        ("retry_delays_by_outcome", {"answered": [30]}, "retry_delays_by_outcome.answered"),
        ("retry_delays_by_outcome", {"busy": [-1]}, "retry_delays_by_outcome.busy"),
        ("breaker", [], "breaker"),
        ("breaker", {"failure_rate": 101}, "breaker.failure_rate"),
        ("breaker", {"failure_rate": "often"}, "breaker.failure_rate"),
        ("breaker", {"window": "nan"}, "breaker.window"),
        ("breaker", {"window": 10, "minimum": 20}, "breaker.minimum"),
        ("breaker", {"luck": 1}, "breaker.luck"),
        ("retry_back_off", "yes", "retry_back_off"),
        ("retry_other_number", 1, "retry_other_number"),
        ("number_strategy", "random", "number_strategy"),
        ("weight", 0, "weight"),
        ("weight", 101, "weight"),
        ("pilot_size", -1, "pilot_size"),
        ("ramp", "on", "ramp"),
        ("budget_cap", 0, "budget_cap"),
        ("budget_cap", "-5", "budget_cap"),
        ("budget_cap", "1.234", "budget_cap"),
        ("budget_cap", "much", "budget_cap"),
        ("budget_cap", float("inf"), "budget_cap"),
        ("budget_cap", 10**12, "budget_cap"),
        ("allowed_start", "09:00+05:00", "allowed_start"),
        ("allowed_end", "17:00Z", "allowed_end"),
        ("retry_on", ["answered"], "retry_on"),
        ("retry_on", "busy", "retry_on"),
        ("ring_timeout_seconds", 5, "ring_timeout_seconds"),
        ("time_limit_seconds", 10**9, "time_limit_seconds"),
        ("enable_voicemail_detection", "yes", "enable_voicemail_detection"),
        ("status", "running", "status"),
    ],
)
async def test_a_value_that_cannot_be_taken_is_explained_at_its_field(
    world: CampaignWorld, field: str, value: object, path: str
) -> None:
    errors = await _errors(world, **{field: value})

    assert list(errors) == [path]
    assert errors[path]


async def test_the_single_delay_and_the_list_of_delays_are_one_setting(world: CampaignWorld) -> None:
    campaign_id = await world.do(create_campaign, changes={"name": "March", "retry_delays": [15, 45]})

    async def change(**changes: Any) -> tuple[int, tuple[int, ...]]:
        await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)
        settings = await _settings(world, campaign_id)
        assert delays_of(settings) == (settings.retry_delays or (settings.retry_delay_minutes,))
        return settings.retry_delay_minutes, settings.retry_delays

    assert await change() == (15, (15, 45))
    assert await change(retry_delay_minutes=20) == (20, ())
    assert await change(retry_delays=[60, 90], retry_delay_minutes=20) == (60, (60, 90))
    assert await change(retry_delays=[]) == (60, ())
    assert await change(retry_delays=None, retry_delay_minutes=None) == (30, ())


async def test_a_cap_is_taken_off_by_null_and_by_an_emptied_box(world: CampaignWorld) -> None:
    campaign_id = await world.do(create_campaign, changes={"name": "March", "budget_cap": 12.34})
    assert (await _settings(world, campaign_id)).budget_cap == Decimal("12.34")
    for none in (None, ""):
        await world.do(update_campaign, campaign_ref=campaign_id, changes={"budget_cap": 5})
        await world.do(update_campaign, campaign_ref=campaign_id, changes={"budget_cap": none})
        assert (await _settings(world, campaign_id)).budget_cap is None


async def test_all_wrong_fields_are_named_at_once(world: CampaignWorld) -> None:
    delays, breaker = {"busy": "x", "answered": "5"}, {"window": 1, "failure_rate": -1}
    errors = await _errors(
        world,
        name="",
        max_attempts=0,
        agent_id=9,
        time_zone="Nowhere",
        retry_delays_by_outcome=delays,
        breaker=breaker,
    )

    assert set(errors) == {
        *("name", "max_attempts", "agent_id", "time_zone"),
        *("retry_delays_by_outcome.busy", "retry_delays_by_outcome.answered"),
        *("breaker.window", "breaker.failure_rate"),
    }


async def test_a_template_error_says_where_it_is(world: CampaignWorld) -> None:
    errors = await _errors(world, agenda_template="Hello\nthere {{ name")

    assert errors["agenda_template"].startswith("Line 2, column ")


async def test_characters_that_the_database_cannot_hold_are_left_out(world: CampaignWorld) -> None:
    campaign_id = await world.do(create_campaign, changes={"name": "Ma\x00rch\ud800", "description": "a\x00"})

    assert (await _settings(world, campaign_id)).name == "March"


async def test_a_time_without_an_offset_is_the_campaigns_wall_clock(world: CampaignWorld) -> None:
    campaign_id = await world.do(
        create_campaign,
        changes={"name": "March", "scheduled_at": "2026-03-20T09:00", "time_zone": "America/Chicago"},
    )

    assert (await _settings(world, campaign_id)).scheduled_at == datetime(2026, 3, 20, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(("start", "end"), [("22:00", "06:00"), ("09:00", "24:00"), ("00:00", "24:00")])
async def test_calling_hours_may_pass_midnight(world: CampaignWorld, start: str, end: str) -> None:
    changes = {"name": "March", "allowed_start": start, "allowed_end": end}
    campaign_id = await world.do(create_campaign, changes=changes)

    settings = await _settings(world, campaign_id)
    assert (settings.allowed_start, settings.allowed_end) == (start, end.replace("24", "00"))


async def test_an_empty_window_is_refused(world: CampaignWorld) -> None:
    errors = await _errors(world, allowed_start="09:00", allowed_end="09:00")

    assert list(errors) == ["allowed_end"]


MORNING = {"start": "10:00", "end": "12:00", "days": [2, 3, 4]}
AFTERNOON = {"start": "14:00", "end": "16:00"}


async def test_of_several_windows_the_first_is_also_the_one_that_is_shown(world: CampaignWorld) -> None:
    campaign_id = await world.do(
        create_campaign, changes={"name": "March", "calling_windows": [MORNING, AFTERNOON]}
    )

    settings = await _settings(world, campaign_id)
    assert calling_hours_of(settings).windows == (
        Window(time(10), time(12), frozenset({2, 3, 4})),
        Window(time(14), time(16)),
    )
    assert (settings.allowed_start, settings.allowed_end) == ("10:00", "12:00")
    assert settings.allowed_days == (2, 3, 4)


async def test_one_window_that_is_set_replaces_several(world: CampaignWorld) -> None:
    campaign_id = await world.do(
        create_campaign, changes={"name": "March", "calling_windows": [MORNING, AFTERNOON]}
    )

    await world.do(update_campaign, campaign_ref=campaign_id, changes={"allowed_end": "13:00"})

    settings = await _settings(world, campaign_id)
    assert calling_hours_of(settings).windows == (Window(time(10), time(13), frozenset({2, 3, 4})),)


async def test_several_windows_that_differ_from_the_one_sent_with_them_are_refused(
    world: CampaignWorld,
) -> None:
    errors = await _errors(world, allowed_start="09:00", allowed_end="12:00", calling_windows=[MORNING])

    assert list(errors) == ["calling_windows"]


async def test_null_puts_a_setting_back_to_its_default(world: CampaignWorld) -> None:
    campaign_id = await world.do(create_campaign, changes={"name": "March", "max_attempts": 9})

    nulls = {"max_attempts": None, "sms_message_template": None, "scheduled_at": None, "agent_id": None}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=nulls)

    assert (await _settings(world, campaign_id)).max_attempts == DEFAULTS.max_attempts


async def test_an_update_changes_only_what_it_names(world: CampaignWorld) -> None:
    campaign_id = await world.do(create_campaign, changes={"name": "March", "agenda_template": "Hello"})

    later = NOON + timedelta(minutes=1)
    await world.do(update_campaign, campaign_ref=campaign_id, changes={"name": "April"}, now=later)

    settings = await _settings(world, campaign_id)
    assert (settings.name, settings.agenda_template) == ("April", "Hello")
    assert (await world.row(campaign_id)).updated_at == later


async def test_the_number_pool_is_replaced_in_its_new_order(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        second = await make_number(session, world.organization)
    changes = {"name": "March", "number_pool": [world.number.id, second.id]}
    campaign_id = await world.do(create_campaign, changes=changes)

    for pool in ((second.id, world.number.id), (second.id,), ()):
        await world.do(update_campaign, campaign_ref=campaign_id, changes={"number_pool": list(pool)})
        assert (await _settings(world, campaign_id)).number_pool == pool


async def test_an_unknown_variable_is_no_error_in_a_draft(world: CampaignWorld) -> None:
    changes = {"name": "March", "agenda_template": "On {{appointment_date}}"}

    assert await world.do(create_campaign, changes=changes)


@pytest.mark.parametrize("status", sorted(set(CampaignStatus) - EDITABLE))
async def test_settings_are_locked_but_in_draft_paused_and_failed(
    world: CampaignWorld, status: CampaignStatus
) -> None:
    campaign_id = await world.campaign(status=status)

    with pytest.raises(Conflict, match=r"Pause|Duplicate|duplicate"):
        await world.do(update_campaign, campaign_ref=campaign_id, changes={"name": "April"})


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.FAILED])
async def test_what_is_paused_or_failed_can_be_changed_but_for_its_channel(
    world: CampaignWorld, status: CampaignStatus
) -> None:
    campaign_id = await world.campaign(status=status)

    await world.do(update_campaign, campaign_ref=campaign_id, changes={"concurrent_limit": 9})
    with pytest.raises(FieldErrors) as refused:
        await world.do(update_campaign, campaign_ref=campaign_id, changes={"channel": "sms"})

    assert set(refused.value.errors) == {"channel"}


async def test_another_organizations_campaign_agent_and_number_do_not_exist(world: CampaignWorld) -> None:
    other = await build_world(world.database)
    campaign_id = await world.campaign()

    with pytest.raises(NotFound):
        await other.do(update_campaign, campaign_ref=campaign_id, changes={"name": "Mine"})
    with pytest.raises(NotFound):
        await other.do(duplicate_campaign, campaign_ref=campaign_id)
    errors = await _errors(
        other, agent_id=world.agent.id, phone_number_id=world.number.id, number_pool=[world.number.id]
    )
    assert set(errors) == {"agent_id", "phone_number_id", "number_pool"}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_operators_and_viewers_cannot_edit(world: CampaignWorld, role: Role) -> None:
    campaign_id = await world.campaign()
    someone = world.someone(role)

    with pytest.raises(NotAllowed):
        await world.do(create_campaign, principal=someone, changes={"name": "March"})
    with pytest.raises(NotAllowed):
        await world.do(update_campaign, principal=someone, campaign_ref=campaign_id, changes={})
    with pytest.raises(NotAllowed):
        await world.do(delete_campaign, principal=someone, campaign_ref=campaign_id)
    with pytest.raises(NotAllowed):
        await world.do(duplicate_campaign, principal=someone, campaign_ref=campaign_id)


async def test_a_draft_can_be_deleted_with_its_list(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(people=2)

    await world.do(delete_campaign, campaign_ref=campaign_id)

    assert await world.people(campaign_id) == {}
    with pytest.raises(NotFound):
        await world.do(update_campaign, campaign_ref=campaign_id, changes={})


async def test_what_was_started_can_not_be_deleted(world: CampaignWorld) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.PAUSED)

    with pytest.raises(Conflict, match="Only a draft"):
        await world.do(delete_campaign, campaign_ref=campaign_id)


@pytest.mark.parametrize("status", CampaignStatus)
async def test_a_copy_has_the_settings_and_contacts_and_none_of_the_history(
    world: CampaignWorld, status: CampaignStatus
) -> None:
    campaign_id = await world.campaign(
        status=status, pool=(world.number,), max_attempts=2, step={"agenda_template": "Hello"}
    )
    done = await world.recipient(
        campaign_id, RecipientStatus.COMPLETED, attempts_made=2, variables={"day": "Monday"}
    )
    await world.recipient(campaign_id)

    copy_id = await world.do(duplicate_campaign, campaign_ref=campaign_id)

    settings = await _settings(world, copy_id)
    assert await world.status(copy_id) is CampaignStatus.DRAFT
    assert (settings.name, settings.max_attempts) == ("March reminders (copy)", 2)
    assert (settings.agenda_template, settings.number_pool) == ("Hello", (world.number.id,))
    assert await world.people(copy_id) == {RecipientStatus.PENDING: 2}
    assert (await world.row(copy_id)).next_position == (await world.row(campaign_id)).next_position
    assert (await world.row(copy_id)).carrier_account_id is None
    assert (await world.person(done)).status is RecipientStatus.COMPLETED


async def _write_as_read(
    world: CampaignWorld, campaign_id: int, read: CampaignSettings, **changes: Any
) -> None:
    """Change settings as somebody does who has read the campaign before."""
    expected = {name: getattr(read, name) for name in changes}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes, expected=expected)


async def test_who_read_a_field_before_somebody_else_changed_it_overwrites_nothing(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign()
    read = await _settings(world, campaign_id)
    await world.do(update_campaign, campaign_ref=campaign_id, changes={"name": "Autumn"})
    with pytest.raises(ChangedMeanwhile) as refused:
        await _write_as_read(world, campaign_id, read, name="Winter", description="For regulars")
    assert refused.value.current == {"name": "Autumn"}
    settings = await _settings(world, campaign_id)
    assert (settings.name, settings.description) == ("Autumn", read.description), "nothing was written"


async def test_fields_that_somebody_else_did_not_touch_are_changed_beside_theirs(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign()
    read = await _settings(world, campaign_id)
    theirs = {"name": "Autumn", "breaker": BreakerPolicy(window=100), "number_pool": [world.number.id]}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=theirs)
    await _write_as_read(world, campaign_id, read, description="For regulars", max_attempts="2")
    settings = await _settings(world, campaign_id)
    assert (settings.name, settings.breaker.window, settings.number_pool) == (
        "Autumn",
        100,
        (world.number.id,),
    )
    assert (settings.description, settings.max_attempts) == ("For regulars", 2)


async def test_the_same_change_by_two_is_no_conflict(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    read = await _settings(world, campaign_id)
    await _write_as_read(world, campaign_id, read, name="Autumn", retry_delays="30, 60")
    await _write_as_read(world, campaign_id, read, name=" Autumn ", retry_delays=[30, 60])
    assert (await _settings(world, campaign_id)).name == "Autumn"


async def test_of_two_who_write_one_field_at_once_the_second_is_told_what_the_first_wrote(
    world: CampaignWorld,
) -> None:
    campaign_id = await world.campaign()
    read = await _settings(world, campaign_id)
    names = ("Autumn", "Winter")
    outcomes = await asyncio.gather(
        *(_write_as_read(world, campaign_id, read, name=name) for name in names), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, ChangedMeanwhile)]
    stands = (await _settings(world, campaign_id)).name
    assert len(refused) == 1
    assert stands in names
    assert refused[0].current == {"name": stands}


async def test_two_who_write_different_fields_at_once_both_succeed(world: CampaignWorld) -> None:
    campaign_id = await world.campaign()
    read = await _settings(world, campaign_id)
    await asyncio.gather(
        _write_as_read(world, campaign_id, read, name="Autumn"),
        _write_as_read(world, campaign_id, read, description="For regulars"),
    )
    settings = await _settings(world, campaign_id)
    assert (settings.name, settings.description) == ("Autumn", "For regulars")
