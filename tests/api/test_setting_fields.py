"""Every declared setting is sent, answered, put back to its default and refused at the same path, in either form."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest

from app.api.v1.campaign_bodies import NewCampaign
from app.api.v1.setting_fields import SETTING_AT
from app.services.campaigns.setting_declaration import Group, Setting, as_json
from app.services.campaigns.settings import SETTINGS
from tests.api.conftest import ApiWorld, fields_of
from tests.support.builders import NOON

OFFERED: Final = {name: each for name, each in SETTINGS.items() if each.group is not Group.NOT_OFFERED}
NEEDED: Final = frozenset({"name", "channel", "agent_id"})
"""A new campaign has to say them."""
ANSWERED_WITHIN: Final = "execution_settings"
"""Where `allowed_hours` and the second spelling of `timezone` come back."""

_PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(path for path, setting in SETTING_AT.items() if setting == name) for name in OFFERED
}
FORMS: Final[Mapping[str, Mapping[str, str]]] = {
    "flat": {name: paths[0] for name, paths in _PATHS.items()},
    "nested": {name: paths[1] for name, paths in _PATHS.items() if len(paths) > 1},
}
"""Setting -> path, for each way to send the settings."""


def _another(declared: Setting) -> Any:
    """Return a value other than the default, as it is answered."""
    if isinstance(declared.default, bool):
        return not declared.default
    return declared.default + 1 if isinstance(declared.default, int) else OTHERS[declared.name]


OTHERS: Final[Mapping[str, Any]] = {
    "name": "April",
    "description": "For April",
    "channel": "sms",
    **{name: f"Hi {{{{name}}}}: {name}." for name, each in SETTINGS.items() if each.part},
    "fallback_values": {"name": "there"},
    "missing": "keep",
    "schedule_type": "scheduled",
    "scheduled_at": (NOON + timedelta(days=1)).isoformat().replace("+00:00", "Z"),
    "recurring_config": {
        "frequency": "weekly",
        "interval": 2,
        "days_of_week": [1, 5],
        "time": "09:00",
        "time_zone": "America/New_York",
        "start_date": "2030-01-07",
        "end_date": "2030-12-31",
        "count": None,
        "people": "same",
        "segment_id": None,
        "missed": "skip",
    },
    "time_zone": "Europe/Berlin",
    "allowed_start": "09:00",
    "allowed_end": "17:30",
    "allowed_days": ["monday", "friday"],
    "calling_windows": [
        {"start": "09:00", "end": "17:30", "days": ["monday", "friday"]},
        {"start": "22:00", "end": "02:00", "days": ["saturday"]},
    ],
    "calling_clock": "contact",
    "purpose": "marketing",
    "retry_delays": [31, 60],
    "retry_delays_by_outcome": {"busy": [5, 15]},
    "retry_on": ["busy"],
    "number_strategy": "sticky",
    "budget_cap": 99.5,
    "breaker": OFFERED["breaker"].default.to_json() | {"window": 100},
}
REFUSED: Final[Mapping[str, Any]] = {
    "name": "x" * 201,
    "description": "x" * 2_001,
    "agent_id": 999_999,
    "phone_number_id": 999_999,
    "number_pool": [999_999],
    **{name: "Hi {{" for name, each in SETTINGS.items() if each.part},
    "fallback_values": {"!": "there"},
    "scheduled_at": "some day",
    "retry_delays": [-1],
    "retry_delays_by_outcome": {"busy": [-1]},
    "retry_on": ["answered"],
    "allowed_days": ["someday"],
    "calling_windows": ["nine to five"],
    "recurring_config": {"interval": 0},
    "budget_cap": 0,
    "breaker": {"window": 1},
}
"""What their readers refuse; a number below 0 and a word of no meaning are refused by the others."""


def _wrong(declared: Setting) -> Any:
    number = isinstance(declared.default, int)
    return REFUSED.get(declared.name, -1 if number else "nothing of the kind")


def _body(values: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Return the values by setting as a body of that form."""
    body: dict[str, Any] = {}
    for name, value in values.items():
        *outer, last = form[name].split(".")
        place = body
        for each in outer:
            place = place.setdefault(each, {})
        place[last] = value
    return body


def _at(answer: Mapping[str, Any], path: str) -> Any:
    """Return what an answer has at a path; `allowed_hours` stand in `execution_settings`."""
    place: Any = answer
    for each in (f"{ANSWERED_WITHIN}.{path}" if path.startswith("allowed_hours.") else path).split("."):
        place = place[each]
    return place


def _answered_default(declared: Setting) -> Any:
    default = as_json(declared.default)
    return (default or None) if declared.blank_is_null else default


async def _send(world: ApiWorld, method: str, body: Mapping[str, Any]) -> Any:
    """Make a campaign of the body, or change one that has none of its settings to it."""
    if method == "POST":
        needed = {"name": "March", "campaign_type": "call", "assistant_id": world.agent.id}
        return await world.post("/campaigns", {**needed, **body})
    made = await world.make_campaign()
    return await world.patch(f"/campaigns/{made['id']}", body)


def _ids(world: ApiWorld) -> dict[str, Any]:
    return {"agent_id": world.agent.id, "phone_number_id": world.number.id, "number_pool": [world.number.id]}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_what_is_sent_comes_back_at_the_same_path(
    world: ApiWorld, method: str, form: Mapping[str, str]
) -> None:
    ids = _ids(world)
    values = {name: ids[name] if name in ids else _another(OFFERED[name]) for name in form}
    answer = await _send(world, method, _body(values, form))
    assert answer.is_success, answer.text
    assert {form[name]: _at(answer.json(), form[name]) for name in form} == {
        form[name]: value for name, value in values.items()
    }
    shown = await world.get(f"/campaigns/{answer.json()['id']}")
    assert shown.json() == answer.json()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_null_puts_each_back_to_its_default(world: ApiWorld, form: Mapping[str, str]) -> None:
    ids = _ids(world)
    nullable = {name: each for name, each in OFFERED.items() if name in form and each.null_is_default}
    changed = {name: ids[name] if name in ids else _another(each) for name, each in nullable.items()}
    made = await world.make_campaign()
    path = f"/campaigns/{made['id']}"
    assert (await world.patch(path, _body(changed, form))).is_success
    for answer in (
        await world.patch(path, _body(dict.fromkeys(nullable), form)),
        await _send(world, "POST", _body(dict.fromkeys(nullable.keys() - NEEDED), form)),
    ):
        assert answer.is_success, answer.text
        sent = nullable if answer.request.method == "PATCH" else nullable.keys() - NEEDED
        assert {name: _at(answer.json(), form[name]) for name in sent} == {
            name: _answered_default(OFFERED[name]) for name in sent
        }


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_a_wrong_value_is_named_by_the_path_it_was_sent_at(
    world: ApiWorld, method: str, form: Mapping[str, str]
) -> None:
    by_kind = {name: "yes" for name in form if isinstance(OFFERED[name].default, bool)}
    by_reader = {name: _wrong(OFFERED[name]) for name in form if name not in by_kind}
    for wrong in (by_kind, by_reader):
        refused = await _send(world, method, _body(wrong, form))
        assert refused.status_code == 422, refused.text
        named = fields_of(refused)
        assert {_setting_path(field, form) for field in named} == {form[name] for name in wrong}


def _setting_path(field: str, form: Mapping[str, str]) -> str:
    """Return the path of the setting that a field is, or is a part of."""
    return next((path for path in form.values() if f"{field}.".startswith(f"{path}.")), field)


async def test_a_second_spelling_means_the_same_and_is_named_as_it_was_sent(world: ApiWorld) -> None:
    for path in ("time_zone", "execution_settings.timezone"):
        body = _body({"time_zone": "Europe/Berlin"}, {"time_zone": path})
        assert (await world.make_campaign(**body))["timezone"] == "Europe/Berlin"
        wrong = _body({"time_zone": "Mars/Olympus"}, {"time_zone": path})
        assert fields_of(await _send(world, "PATCH", wrong)) == {path}
    assert fields_of(await _send(world, "PATCH", {"agent_id": 999_999})) == {"agent_id"}


def _described() -> Iterator[tuple[str, str]]:
    for name, path in FORMS["flat"].items():
        field = NewCampaign.model_fields.get(path)
        if field is not None and field.description:
            yield name, field.description


def test_a_description_names_the_declared_default_and_limits() -> None:
    named = {name: re.findall(r"Default (\w+)", text) for name, text in _described()}
    defaults = {name: [_word(SETTINGS[name])] for name, found in named.items() if found}
    assert {name: found for name, found in named.items() if found} == defaults
    assert len(defaults) > 12
    descriptions = dict(_described())
    assert descriptions["weight"].startswith("1 to 100: ")
    assert not [text for text in descriptions.values() if "{" in text]


def _word(declared: Setting) -> str:
    return json.dumps(as_json(declared.default)).strip('"')
