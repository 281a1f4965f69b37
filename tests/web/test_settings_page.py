"""The settings page."""

from typing import Any

import pytest

from app.domain.rights import Role
from app.domain.time_zones import known_zones
from app.models import Organization
from app.runtime.context import AppContext
from app.services.access.keys import resolve_key
from app.services.heartbeats import beat
from app.web.pages.campaigns.stop_state import StopSwitchState
from app.web.pages.settings.keys_state import KeysState
from app.web.pages.settings.legal_state import BlackoutState, LegalHoursState
from app.web.pages.settings.state import SettingsState
from app.web.places import countries
from app.web.session import SessionState
from tests.support.builders import make_number
from tests.web.browser import signed_in
from tests.web.conftest import Driver

FORM: dict[str, Any] = {
    "name": "Northwind",
    "time_zone": "Europe/Berlin",
    "default_region": "DE",
    "strict_numbers": True,
    "outbound_limit": "25",
    "frequency_cap": "5",
    "frequency_cap_hours": "48",
    "default_phone_number_id": "",
}


async def test_settings_are_stored_and_the_shell_follows(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    async with seams.database.transaction() as session:
        number = await make_number(session, acme)
    browser = await signed_in(tab, acme, "/settings")
    await browser.send(SettingsState.save(FORM | {"default_phone_number_id": str(number.id)}))
    assert (await tab.state(SessionState)).organization_name == "Northwind"
    await browser.send(SettingsState.load())
    form = (await tab.state(SettingsState)).form
    assert (form.time_zone, form.default_region, form.strict_numbers) == ("Europe/Berlin", "DE", True)
    assert (form.outbound_limit, form.number_id) == ("25", str(number.id))
    assert (form.frequency_cap, form.frequency_cap_hours) == ("5", "48")


async def test_what_must_be_mended_stands_at_its_field(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/settings")
    bad = {"name": "", "time_zone": "Mars/Olympus", "default_region": "ZZ", "outbound_limit": "0"} | {
        "frequency_cap": "-1",
        "frequency_cap_hours": "0",
    }
    await browser.send(SettingsState.save(FORM | bad))
    assert set((await tab.state(SettingsState)).errors) == set(bad)


async def test_only_owners_change_settings(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/settings", role=Role.MANAGER)
    await browser.send(SettingsState.save(FORM))
    await browser.send(SettingsState.load())
    assert (await tab.state(SettingsState)).form.name == "Acme Corp"


async def test_members_are_listed_and_i_am_marked(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/settings")
    await browser.send(SettingsState.load())
    [member] = (await tab.state(SettingsState)).members
    assert (member.role, member.is_me) == ("Owner", True)


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/settings")
    await browser.send(KeysState.create({"key_name": "CRM", "role": "operator"}))
    state = await tab.state(KeysState)
    key, [row] = state.new_key, state.rows
    assert (row.name, row.role, row.prefix) == ("CRM", "Operator", f"{key[:10]}…")
    await browser.send(KeysState.set_open(False))
    deltas = await browser.send(KeysState.load())
    assert key not in str(deltas)
    assert (await tab.state(KeysState)).new_key == ""
    for revoked in (False, True):
        async with seams.database.transaction() as session:
            found = await resolve_key(session, key=key, now=seams.clock.now())
        assert (found is None) is revoked
        await browser.send(KeysState.revoke(row.id))


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.VIEWER])
async def test_keys_are_shown_to_owners_alone(acme: Organization, tab: Driver, role: Role) -> None:
    owner = await signed_in(
        tab, acme, "/campaigns"
    )  # another page: a tab takes over who is there with its address
    await owner.send(KeysState.create({"key_name": "CRM", "role": "operator"}))
    other = await signed_in(tab, acme, "/settings", role=role)
    await other.send(KeysState.load())
    state = await tab.state(KeysState)
    assert (state.rows, state.new_key, state.problem, state.loading) == ([], "", "", False)


@pytest.mark.parametrize(
    ("form", "field"),
    [({"key_name": "", "role": "viewer"}, "name"), ({"key_name": "CRM", "role": "king"}, "role")],
)
async def test_a_key_needs_a_name_and_a_role(
    acme: Organization, tab: Driver, form: dict[str, Any], field: str
) -> None:
    browser = await signed_in(tab, acme, "/settings")
    await browser.send(KeysState.create(form))
    state = await tab.state(KeysState)
    assert (set(state.errors), state.new_key) == ({field}, "")


async def test_the_page_says_who_stopped_dialing_and_whether_anybody_dials(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/settings")
    await browser.send(StopSwitchState.stop())
    await browser.send(SettingsState.load())
    machinery = (await tab.state(SettingsState)).machinery
    assert (machinery.stopped, machinery.dials, machinery.seen) == (True, False, "")
    assert "@example.com" in machinery.stop_note
    now = seams.clock.now()
    async with seams.database.transaction() as session:
        await beat(session, worker="one", queue="dial", started_at=now, now=now)
    await browser.send(SettingsState.load())
    assert (await tab.state(SettingsState)).machinery.workers == "1 dialing worker"


def test_countries_and_zones_are_listed_by_name() -> None:
    assert ("US", "United States") in countries()
    assert "America/New_York" in known_zones()
    assert known_zones()[-1] == "UTC"


async def test_legal_hours_are_loosened_only_with_a_reason_which_the_history_shows(
    acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/settings")
    await browser.send(LegalHoursState.load())
    state = await tab.state(LegalHoursState)
    assert (state.policy, state.zone_trust, state.history) == ("law", "own", [])
    loose = {"legal_policy": "off", "legal_policy_reason": "", "zone_trust": "both"}
    await browser.send(LegalHoursState.save(loose))
    assert set((await tab.state(LegalHoursState)).errors) == {"legal_policy_reason"}
    await browser.send(LegalHoursState.save(loose | {"legal_policy_reason": "Only our own staff."}))
    state = await tab.state(LegalHoursState)
    assert (state.policy, state.zone_trust) == ("off", "both")
    assert [(row.change, row.reason) for row in state.history] == [
        ("The law where people are → Off: only each campaign's hours", "Only our own staff.")
    ]


async def test_the_table_of_the_law_is_shown_with_its_version_and_sources(
    acme: Organization, tab: Driver
) -> None:
    browser = await signed_in(tab, acme, "/settings", role=Role.VIEWER)
    await browser.send(LegalHoursState.load())
    state = await tab.state(LegalHoursState)
    assert state.version == "2026-12-01"
    alabama = next(row for row in state.laws if row.law == "US-AL")
    assert (alabama.name, alabama.hours) == ("Alabama", "08:00 to 20:00, Monday to Saturday")
    assert (alabama.more, alabama.verify) == ("no public holidays", True)
    assert "Alabama" in alabama.source


async def test_blackout_dates_are_added_and_removed(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/settings")
    dates = {"blackout_from": "2026-12-24", "blackout_until": "2026-12-26", "blackout_name": "Holidays"}
    await browser.send(BlackoutState.add(dates))
    [row] = (await tab.state(BlackoutState)).rows
    assert (row.words, row.name) == ("24 Dec 2026 to 26 Dec 2026", "Holidays")
    await browser.send(BlackoutState.add(dates | {"blackout_until": "2026-12-01"}))
    assert set((await tab.state(BlackoutState)).errors) == {"blackout_until"}
    await browser.send(BlackoutState.remove(row.start, row.end, row.name))
    assert (await tab.state(BlackoutState)).rows == []


async def test_only_owners_change_legal_hours_and_blackout_dates(acme: Organization, tab: Driver) -> None:
    browser = await signed_in(tab, acme, "/settings", role=Role.MANAGER)
    await browser.send(LegalHoursState.save({"legal_policy": "strict"}))
    await browser.send(BlackoutState.add({"blackout_from": "2026-12-24"}))
    await browser.send(LegalHoursState.load())
    await browser.send(BlackoutState.load())
    assert (await tab.state(LegalHoursState)).policy == "law"
    assert (await tab.state(BlackoutState)).rows == []
