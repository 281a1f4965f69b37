"""Campaigns by `/api/v1`, as the seeds 000 and 001 show them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.attempt import AttemptStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import Attempt, Campaign, PhoneNumber
from app.providers.base import LookupFailed
from app.services.campaigns.transitions import fail_by_system
from tests.api.conftest import ApiWorld, fields_of, problem_of
from tests.support.builders import make_attempt, make_number, make_recipient

EXAMPLE = {
    "name": "February Appointment Reminders",
    "description": "Reminder calls for February appointments",
    "campaign_type": "call",
    "assistant_id": 123,
    "welcome_message_template": "Hi {{name|title_case}}, this is {{assistant_name}} calling from {{company}}.",
    "agenda_template": "I'm calling to remind you about your appointment on {{appointment_date}}.",
    "end_call_message_template": "Thank you for your time, {{name}}. Have a great day!",
    "fallback_values": {"name": "there", "company": "our office"},
    "max_attempts": 3,
    "retry_delay_minutes": 60,
}

EXAMPLE_ANSWER = {
    "id": 42,
    "name": "February Appointment Reminders",
    "description": "Reminder calls for February appointments",
    "campaign_type": "call",
    "status": "draft",
    "assistant_id": 123,
    "welcome_message_template": "Hi {{name|title_case}}, this is {{assistant_name}} calling from {{company}}.",
    "agenda_template": "I'm calling to remind you about your appointment on {{appointment_date}}.",
    "end_call_message_template": "Thank you for your time, {{name}}. Have a great day!",
    "sms_message_template": None,
    "fallback_values": {"name": "there", "company": "our office"},
    "variable_mappings": {},
    "available_variables": [],
    "max_attempts": 3,
    "retry_delay_minutes": 60,
    "total_contacts": 0,
    "completed_contacts": 0,
    "failed_contacts": 0,
    "created_at": "2024-02-01T10:00:00Z",
    "updated_at": "2024-02-01T10:00:00Z",
}


async def test_the_example_of_seed_001_is_answered_as_it_shows(world: ApiWorld) -> None:
    world.clock.at = datetime(2024, 2, 1, 10, tzinfo=UTC)
    made = await world.post("/campaigns", EXAMPLE | {"assistant_id": world.agent.id})
    assert made.status_code == 201
    answer = made.json()
    replaced = {"id": answer["id"], "assistant_id": world.agent.id}
    assert {name: answer[name] for name in EXAMPLE_ANSWER} == EXAMPLE_ANSWER | replaced
    assert isinstance(answer["id"], int)
    shown = await world.get(f"/campaigns/{answer['id']}")
    assert shown.json() == answer


async def test_the_short_example_of_seed_001_gets_the_defaults(world: ApiWorld) -> None:
    made = await world.post(
        "/campaigns",
        {
            "name": "February Appointment Reminders",
            "campaign_type": "call",
            "assistant_id": world.agent.id,
            "welcome_message_template": "Hi {{name}}, this is {{assistant_name}}.",
        },
    )
    answer = made.json()
    wanted = {
        "max_attempts": 3,
        "retry_delay_minutes": 30,
        "concurrent_limit": 5,
        "rate_limit_per_minute": 10,
    }
    assert {name: answer[name] for name in wanted} == wanted
    hours = answer["execution_settings"]["allowed_hours"]
    assert (hours["start"], hours["end"], hours["days"]) == (None, None, []), "open at any hour"


async def test_uuids_are_taken_wherever_ids_are(world: ApiWorld) -> None:
    made = await world.make_campaign(
        assistant_id=str(world.agent.public_id), phone_number_id=str(world.number.public_id)
    )
    assert made["assistant_id"] == world.agent.id
    assert made["phone_number_id"] == world.number.id
    assert (await world.get(f"/campaigns/{made['public_id']}")).json() == made


PACE: dict[str, Any] = {
    "retry_delay_minutes": 30,
    "retry_delays": [30, 60, 120],
    "retry_delays_by_outcome": {"no_answer": [60], "busy": [5, 15]},
    "retry_back_off": True,
    "retry_other_number": True,
    "number_strategy": "local_presence",
    "weight": 3,
    "pilot_size": 20,
    "ramp": True,
    "budget_cap": 99.5,
    "breaker": {
        "window": 100,
        "minimum": 20,
        "failure_rate": 30.0,
        "refusal_rate": 20.0,
        "refusals_in_a_row": 0,
        "opt_out_rate": 2.5,
        "hang_up_rate": 50.0,
    },
}


async def test_pace_retries_and_brakes_are_taken_flat_and_nested_and_answered_as_both(
    world: ApiWorld,
) -> None:
    flat = await world.make_campaign(**PACE)
    nested = await world.make_campaign(execution_settings=PACE)
    for made in (flat, nested):
        assert {name: made[name] for name in PACE} == PACE
        assert {name: made["execution_settings"][name] for name in PACE} == PACE
    returned = await world.call("put", f"/campaigns/{flat['id']}", json=flat)
    assert {name: returned.json()[name] for name in PACE} == PACE


async def test_a_wrong_part_of_a_setting_is_named_where_it_was_sent(world: ApiWorld) -> None:
    made = await world.make_campaign()
    wrong = {"retry_delays_by_outcome": {"busy": [-1]}, "breaker": {"window": 1}, "weight": 101}
    path = f"/campaigns/{made['id']}"
    assert fields_of(await world.patch(path, wrong)) == {
        "retry_delays_by_outcome.busy",
        "breaker.window",
        "weight",
    }
    assert fields_of(await world.patch(path, {"execution_settings": wrong})) == {
        "execution_settings.retry_delays_by_outcome.busy",
        "execution_settings.breaker.window",
        "execution_settings.weight",
    }


async def test_calling_hours_with_an_offset_of_their_own_are_refused(world: ApiWorld) -> None:
    made = await world.make_campaign()
    refused = await world.patch(
        f"/campaigns/{made['id']}", {"allowed_hours": {"start": "09:00+05:00", "end": "17:00"}}
    )
    assert fields_of(refused) == {"allowed_hours.start"}
    assert "without an offset" in refused.text


async def test_a_copy_carries_every_setting(world: ApiWorld) -> None:
    made = await world.make_campaign(**PACE)
    copied = (await world.post(f"/campaigns/{made['id']}/duplicate")).json()
    assert {name: copied[name] for name in PACE} == PACE


async def test_everything_missing_is_named_at_once(world: ApiWorld) -> None:
    refused = await world.post("/campaigns", {"description": "x"})
    assert refused.status_code == 422
    assert fields_of(refused) == {"name", "campaign_type"}
    refused = await world.post("/campaigns", {"name": " ", "campaign_type": "fax", "max_attempts": 0})
    assert fields_of(refused) == {"name", "campaign_type", "assistant_id", "max_attempts"}


async def test_another_organizations_assistant_is_not_there(world: ApiWorld) -> None:
    refused = await world.post("/campaigns", EXAMPLE | {"assistant_id": 999_999_999})
    assert fields_of(refused) == {"assistant_id"}


@pytest.mark.parametrize("wrong", [True, 1.5, ["x"], {}])
async def test_an_id_is_a_number_or_a_text(world: ApiWorld, wrong: Any) -> None:
    assert fields_of(await world.post("/campaigns", EXAMPLE | {"assistant_id": wrong})) == {"assistant_id"}


async def test_an_unknown_field_is_refused_by_its_name(world: ApiWorld) -> None:
    refused = await world.post(
        "/campaigns",
        EXAMPLE | {"assistant_id": world.agent.id, "max_atempts": 1, "execution_settings": {"x": 1}},
    )
    assert fields_of(refused) == {"max_atempts", "execution_settings.x"}


async def test_a_template_with_a_syntax_error_is_refused_at_its_field(world: ApiWorld) -> None:
    refused = await world.post(
        "/campaigns", EXAMPLE | {"assistant_id": world.agent.id, "agenda_template": "Hi {{name"}
    )
    assert fields_of(refused) == {"agenda_template"}


async def test_the_settings_objects_of_seed_000_are_taken(world: ApiWorld) -> None:
    made = await world.make_campaign(
        execution_settings={
            "allowed_hours": {
                "start": "09:00",
                "end": "17:00",
                "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            },
            "time_zone": "America/Chicago",
            "max_attempts": 2,
            "concurrent_limit": 7,
        },
        advanced_settings={"enable_voicemail_detection": False},
    )
    assert made["execution_settings"]["allowed_hours"] == {
        "start": "09:00",
        "end": "17:00",
        "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "windows": [],
        "clock": "campaign",
    }
    assert made["execution_settings"]["time_zone"] == made["timezone"] == "America/Chicago"
    assert (made["max_attempts"], made["concurrent_limit"]) == (2, 7)
    assert made["advanced_settings"] == {"enable_voicemail_detection": False}


async def test_days_by_name_and_by_iso_number_are_the_same(world: ApiWorld) -> None:
    made = await world.make_campaign(
        allowed_hours={"days": [1, "tuesday"]}, execution_settings={"allowed_hours": {"days": ["monday", 2]}}
    )
    assert made["execution_settings"]["allowed_hours"]["days"] == ["monday", "tuesday"]


async def test_a_setting_sent_twice_must_be_the_same(world: ApiWorld) -> None:
    refused = await world.post(
        "/campaigns",
        EXAMPLE
        | {
            "assistant_id": world.agent.id,
            "execution_settings": {"max_attempts": 5, "retry_delay_minutes": 60},
        },
    )
    assert fields_of(refused) == {"execution_settings.max_attempts"}


async def test_a_wrong_value_is_named_where_it_was_sent(world: ApiWorld) -> None:
    refused = await world.post(
        "/campaigns",
        EXAMPLE
        | {
            "assistant_id": world.agent.id,
            "execution_settings": {
                "concurrent_limit": 0,
                "allowed_hours": {"start": "25:00", "end": "17:00"},
            },
        },
    )
    assert fields_of(refused) == {
        "execution_settings.concurrent_limit",
        "execution_settings.allowed_hours.start",
    }


async def test_what_is_not_there_yet_is_refused_clearly(world: ApiWorld) -> None:
    refused = await world.post(
        "/campaigns",
        EXAMPLE
        | {
            "assistant_id": world.agent.id,
            "advanced_settings": {"leave_voicemail": True},
        },
    )
    assert fields_of(refused) == {"advanced_settings.leave_voicemail"}
    assert "not available yet" in problem_of(refused)["detail"]


async def test_a_time_needs_an_offset_and_must_not_be_past(world: ApiWorld) -> None:
    campaign = await world.make_campaign()
    path = f"/campaigns/{campaign['id']}/schedule"
    naive = await world.post(path, {"scheduled_at": "2026-04-01T09:00:00", "timezone": "America/New_York"})
    assert fields_of(naive) == {"scheduled_at"}
    past = await world.post(path, {"schedule_type": "scheduled", "scheduled_at": "2024-02-15T09:00:00Z"})
    assert fields_of(past) == {"scheduled_at"}
    missing = await world.post(path, {"schedule_type": "scheduled"})
    assert fields_of(missing) == {"scheduled_at"}


async def test_a_schedule_is_set_and_the_start_then_waits_for_it(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    scheduled = await world.post(
        f"/campaigns/{campaign['id']}/schedule",
        {
            "schedule_type": "scheduled",
            "scheduled_at": "2026-03-11T09:00:00-04:00",
            "timezone": "America/New_York",
        },
    )
    assert scheduled.status_code == 200
    assert scheduled.json()["scheduled_at"] == "2026-03-11T13:00:00Z"
    assert scheduled.json()["status"] == "draft"
    started = await world.post(f"/campaigns/{campaign['id']}/start")
    assert started.json()["status"] == "scheduled"


async def test_a_campaign_is_changed_in_part_and_an_answer_may_be_sent_back(world: ApiWorld) -> None:
    campaign = await world.make_campaign(agenda_template="Your appointment.")
    changed = await world.patch(f"/campaigns/{campaign['id']}", {"name": "April", "agenda_template": None})
    assert (changed.json()["name"], changed.json()["agenda_template"]) == ("April", None)
    assert changed.json()["welcome_message_template"] == "Hi {{name}}."
    again = await world.call("PUT", f"/campaigns/{campaign['id']}", json=changed.json())
    assert again.status_code == 200, again.text
    assert again.json() == changed.json()


async def test_the_mixed_channel_is_refused_until_it_works(world: ApiWorld) -> None:
    body = {"name": "Both", "campaign_type": "mixed", "assistant_id": world.agent.id}
    refused = await world.post("/campaigns", body)
    assert refused.status_code == 422
    assert "not available yet" in problem_of(refused)["detail"]
    assert fields_of(refused) == {"campaign_type"}
    campaign = await world.make_campaign()
    changed = await world.patch(f"/campaigns/{campaign['id']}", {"campaign_type": "mixed"})
    assert (changed.status_code, fields_of(changed)) == (422, {"campaign_type"})


async def test_a_cancel_may_hang_up_what_goes_on(world: ApiWorld) -> None:
    for hang_up, why in ((False, ""), (True, "campaign_cancelled")):
        campaign = await world.make_ready_campaign()
        await world.post(f"/campaigns/{campaign['id']}/start")
        async with world.database.transaction() as session:
            row = await session.get_one(Campaign, campaign["id"])
            recipient = await make_recipient(session, row, status=RecipientStatus.IN_PROGRESS)
            attempt = await make_attempt(
                session, recipient, number=world.number, status=AttemptStatus.RINGING
            )
        cancelled = await world.post(f"/campaigns/{campaign['id']}/cancel", {"hang_up": hang_up})
        assert cancelled.json()["status"] == "cancelled"
        async with world.database.session() as session:
            assert (await session.get_one(Attempt, attempt.id)).hang_up_why == why


async def test_a_campaign_lives_from_start_to_cancel(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    path = f"/campaigns/{campaign['id']}"
    assert (await world.post(f"{path}/start")).json()["status"] == "queued"
    locked = await world.patch(path, {"name": "x"})
    assert locked.status_code == 409
    assert "Pause" in problem_of(locked)["detail"]
    paused = (await world.post(f"{path}/pause", {"reason": "lunch"})).json()
    assert (paused["status"], paused["status_reason"]) == ("paused", "lunch")
    assert (await world.post(f"{path}/resume", {})).json()["status"] == "queued"
    assert (await world.call("DELETE", path)).status_code == 409
    assert (await world.post(f"{path}/cancel")).json()["status"] == "cancelled"
    assert (await world.post(f"{path}/start")).status_code == 409
    assert (await world.post(f"{path}/retry-failed")).status_code == 409
    copy = await world.post(f"{path}/duplicate")
    assert copy.status_code == 201
    assert (copy.json()["status"], copy.json()["total_contacts"]) == ("draft", 1)
    assert (await world.call("DELETE", f"/campaigns/{copy.json()['id']}")).status_code == 204
    assert (await world.get(f"/campaigns/{copy.json()['id']}")).status_code == 404


async def test_a_start_names_everything_that_is_missing(world: ApiWorld) -> None:
    campaign = await world.make_campaign(phone_number_id=None, welcome_message_template="{{unknown_thing}}")
    refused = await world.post(f"/campaigns/{campaign['id']}/start")
    assert refused.status_code == 422
    assert fields_of(refused) >= {"contacts", "phone_number_id", "welcome_message_template"}


@pytest.mark.parametrize(
    "silent",
    [
        {"welcome_message_template": "{{nobody}}", "fallback_values": {"nobody": ""}},
        {"welcome_message_template": "{{nobody}}", "fallback_values": {"nobody": " "}},
        {"welcome_message_template": "{{nobody}}", "fallback_values": {"nobody": "\u200b"}},
        {"welcome_message_template": "{{nobody|default('')}}"},
        {"welcome_message_template": "\u200b"},
        {"welcome_message_template": "{# later #}"},
    ],
    ids=ascii,
)
async def test_a_campaign_that_says_nothing_is_not_started(world: ApiWorld, silent: dict[str, Any]) -> None:
    """An attacker's: people were called to hear nothing but how to stop the calls."""
    async with world.database.transaction() as session:
        await session.execute(text("UPDATE agent SET greeting = ''"))
    campaign = await world.make_ready_campaign(**silent)
    refused = await world.post(f"/campaigns/{campaign['id']}/start")
    assert (refused.status_code, fields_of(refused)) == (422, {"welcome_message_template"})


async def test_retry_failed_takes_only_outcomes_that_failed(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    refused = await world.post(f"/campaigns/{campaign['id']}/retry-failed", {"statuses": ["completed"]})
    assert fields_of(refused) == {"statuses"}
    refused = await world.post(f"/campaigns/{campaign['id']}/retry-failed", {"statuses": ["nonsense"]})
    assert fields_of(refused) == {"statuses.0"}


async def test_the_list_comes_in_pages_searched_filtered_and_sorted(world: ApiWorld) -> None:
    for name in ("Beta", "alpha", "Gamma"):
        await world.make_campaign(name=name)
    first = (await world.get("/campaigns?sort=name&page_size=2")).json()
    assert [item["name"] for item in first["items"]] == ["alpha", "Beta"]
    assert (first["total"], first["page"], first["pages"]) == (3, 1, 2)
    found = (await world.get("/campaigns?search=GAM&status=draft&status=running")).json()
    assert [item["name"] for item in found["items"]] == ["Gamma"]
    assert (await world.get("/campaigns?status=running")).json()["total"] == 0
    assert (await world.get(f"/campaigns?assistant_id={world.agent.public_id}")).json()["total"] == 3
    refused = await world.get("/campaigns?page=0&page_size=1000&status=odd&sort=odd")
    assert fields_of(refused) == {"page", "page_size", "status.0", "sort"}


async def test_stats_and_progress_add_up(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    stats = (await world.get(f"/campaigns/{campaign['id']}/stats")).json()
    assert stats.keys() >= {
        "completion_rate",
        "success_rate",
        "answer_rate",
        "average_duration",
        "total_cost",
    }
    rolled = {"total_contacts": 1, "completed": 0, "failed": 0, "pending": 1, "processing": 0}
    assert stats["progress"] == rolled
    assert sum(stats["contact_counts"].values()) == stats["total_contacts"] == 1
    progress = (await world.get(f"/campaigns/{campaign['public_id']}/progress")).json()
    assert progress["progress"] == rolled


async def test_a_cancelled_campaign_is_as_far_as_it_came(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    await world.post(f"/campaigns/{campaign['id']}/start")
    await world.post(f"/campaigns/{campaign['id']}/cancel")
    stats = (await world.get(f"/campaigns/{campaign['id']}/stats")).json()
    [item] = (await world.get("/campaigns")).json()["items"]
    assert stats["contact_counts"]["cancelled"] == stats["progress"]["failed"] == 1
    assert (stats["completion_rate"], item["progress_percent"]) == (0, 0)


async def test_an_operator_starts_but_does_not_edit(world: ApiWorld) -> None:
    campaign = await world.make_ready_campaign()
    refused = await world.patch(f"/campaigns/{campaign['id']}", {"name": "x"}, role=Role.OPERATOR)
    assert problem_of(refused)["status"] == 403
    started = await world.post(f"/campaigns/{campaign['id']}/start", role=Role.OPERATOR)
    assert started.json()["status"] == "queued"


REASON = "The carrier refuses our account or number: Authenticate (error 20003). Check TWILIO_AUTH_TOKEN."


class AnsweringCarrier:
    """A carrier that says of our account what it is told to."""

    def __init__(self, says: str | Exception | None) -> None:
        self._says = says

    async def refuses(self) -> str | None:
        if isinstance(self._says, Exception):
            raise self._says
        return self._says

    async def aclose(self) -> None:
        """Nothing is open."""


async def failed_campaign(world: ApiWorld) -> str:
    """Return the path of a campaign that failed under way."""
    campaign = await world.make_ready_campaign()
    path = f"/campaigns/{campaign['id']}"
    assert (await world.post(f"{path}/start")).json()["status"] == "queued"
    async with world.database.transaction() as session:
        await fail_by_system(session, campaign_id=campaign["id"], reason=REASON, now=world.clock.now())
    return path


async def test_a_failed_campaign_says_so_and_why_wherever_it_is_shown(world: ApiWorld) -> None:
    path = await failed_campaign(world)
    shown = (await world.get(path)).json()
    assert (shown["status"], shown["status_reason"]) == ("failed", REASON)
    (listed,) = (await world.get("/campaigns?status=failed")).json()["items"]
    assert (listed["id"], listed["status_reason"]) == (shown["id"], REASON)
    progress = (await world.get(f"{path}/progress")).json()
    assert (progress["status"], progress["status_reason"]) == ("failed", REASON)
    assert set(shown["actions"]) == {"resume", "cancel", "duplicate", "edit"}


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("The carrier says that our account is suspended.", "our account is suspended"),
        (LookupFailed("no route"), "The carrier cannot be reached: no route. Try again in a moment."),
    ],
    ids=["refuses", "is away"],
)
async def test_a_failed_campaign_is_resumed_when_the_carrier_takes_it_again(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, says: str | Exception, why: str
) -> None:
    path = await failed_campaign(world)
    made = "app.services.campaigns.carrier_check.make_carrier"
    monkeypatch.setattr(made, lambda *_: AnsweringCarrier(says))
    refused = await world.post(f"{path}/resume")
    assert refused.status_code == 409
    assert why in problem_of(refused)["detail"]
    assert (await world.get(path)).json()["status"] == "failed"

    monkeypatch.setattr(made, lambda *_: AnsweringCarrier(None))
    resumed = (await world.post(f"{path}/resume")).json()
    assert (resumed["status"], resumed["status_reason"]) == ("queued", None)


async def test_a_failed_campaign_without_a_usable_number_is_mended_and_resumed(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await failed_campaign(world)
    monkeypatch.setattr(
        "app.services.campaigns.carrier_check.make_carrier", lambda *_: AnsweringCarrier(None)
    )
    async with world.database.transaction() as session:
        (await session.get_one(PhoneNumber, world.number.id)).active = False
        other = await make_number(session, world.organization)
    refused = await world.post(f"{path}/resume")
    assert refused.status_code == 409
    assert "is not active. Activate it" in problem_of(refused)["detail"]
    assert (await world.patch(path, {"phone_number_id": other.id})).status_code == 200
    assert (await world.post(f"{path}/resume")).json()["status"] == "queued"


async def test_who_may_not_run_campaigns_makes_nobody_ask_the_carrier(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await failed_campaign(world)
    asked: list[object] = []
    monkeypatch.setattr("app.services.campaigns.carrier_check.make_carrier", lambda *each: asked.append(each))
    assert (await world.post(f"{path}/resume", role=Role.VIEWER)).status_code == 403
    assert asked == []
