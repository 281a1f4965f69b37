"""How an organization keeps legal hours: its policy with the reasons, its blackout dates, whose zone counts."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import CampaignStatus
from app.domain.gate import Rule
from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.domain.rights import Role
from app.models import Organization
from app.services.access.legal_policies import legal_policy_history, legal_table
from app.services.access.organizations import (
    OrganizationView,
    add_blackout,
    organization_settings,
    remove_blackout,
    update_organization,
)
from app.services.errors import FieldErrors, NotAllowed
from tests.support.builders import NOON, make_campaign, make_organization, make_recipient, principal

LAW, STRICT, OFF = LegalPolicy.LAW, LegalPolicy.STRICT, LegalPolicy.OFF


async def change(session: AsyncSession, organization: Organization, **changes: Any) -> OrganizationView:
    owner = principal(organization)
    await update_organization(session, principal=owner, changes=changes, now=NOON)
    return await organization_settings(session, principal=owner)


@pytest.mark.parametrize(("old", "new"), [(LAW, OFF), (STRICT, LAW), (STRICT, OFF)])
async def test_a_looser_policy_needs_a_reason(
    session: AsyncSession, old: LegalPolicy, new: LegalPolicy
) -> None:
    organization = await make_organization(session, legal_policy=old)
    with pytest.raises(FieldErrors) as refused:
        await change(session, organization, legal_policy=new, legal_policy_reason=" ")
    assert list(refused.value.errors) == ["legal_policy_reason"]
    view = await change(session, organization, legal_policy=new, legal_policy_reason="Only our own staff.")
    assert view.legal_policy is new


@pytest.mark.parametrize(("old", "new"), [(OFF, LAW), (OFF, STRICT), (LAW, STRICT), (LAW, LAW)])
async def test_a_stricter_policy_needs_none(
    session: AsyncSession, old: LegalPolicy, new: LegalPolicy
) -> None:
    organization = await make_organization(session, legal_policy=old)
    assert (await change(session, organization, legal_policy=new)).legal_policy is new


async def test_each_change_is_kept_with_who_and_why_and_the_newest_is_first(session: AsyncSession) -> None:
    organization = await make_organization(session, legal_policy=LAW)
    await change(session, organization, legal_policy="off", legal_policy_reason="Only our own staff.")
    await change(session, organization, legal_policy="off", legal_policy_reason="Again.")
    await change(session, organization, legal_policy="strict")
    owner = principal(organization)
    history = await legal_policy_history(session, principal=owner)
    assert [(each.old, each.new, each.reason) for each in history] == [
        (OFF, STRICT, ""),
        (LAW, OFF, "Only our own staff."),
    ]
    assert {(each.actor, each.at) for each in history} == {(owner.actor, NOON)}


async def test_who_waits_because_of_a_legal_cap_is_due_again_once_the_policy_has_another(
    session: AsyncSession,
) -> None:
    organization = await make_organization(session, legal_policy=STRICT)
    campaign = await make_campaign(session, organization, status=CampaignStatus.RUNNING)
    tomorrow = NOON + timedelta(days=1)
    waits = await make_recipient(session, campaign, not_before=tomorrow, blocked_by=Rule.FREQUENCY)
    await change(session, organization, legal_policy="law", legal_policy_reason="Our clients ask for it.")
    await session.refresh(waits)
    assert waits.not_before == NOON


async def test_only_an_owner_changes_the_policy(session: AsyncSession) -> None:
    organization = await make_organization(session)
    manager = principal(organization, role=Role.MANAGER)
    with pytest.raises(NotAllowed):
        await update_organization(session, principal=manager, changes={"legal_policy": "strict"}, now=NOON)


async def test_another_organization_s_history_is_not_shown(session: AsyncSession) -> None:
    organization, other = await make_organization(session), await make_organization(session)
    await change(session, organization, legal_policy="strict")
    assert await legal_policy_history(session, principal=principal(other)) == []


async def test_blackout_dates_are_kept_in_order_and_each_once(session: AsyncSession) -> None:
    organization = await make_organization(session)
    holidays = {"from": "2026-12-24", "until": "2026-12-26", "name": " Holidays "}
    view = await change(
        session,
        organization,
        blackout_dates=[holidays, {"from": "2026-03-31", "name": "Inventory"}, holidays],
    )
    assert view.blackout_dates == [
        {"from": "2026-03-31", "until": "2026-03-31", "name": "Inventory"},
        {"from": "2026-12-24", "until": "2026-12-26", "name": "Holidays"},
    ]
    assert (await change(session, organization, blackout_dates=[])).blackout_dates == []


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"blackout_dates": "christmas"}, "blackout_dates"),
        ({"blackout_dates": ["2026-12-24"]}, "blackout_dates.0"),
        ({"blackout_dates": [{"name": "Inventory"}]}, "blackout_dates.0.from"),
        ({"blackout_dates": [{"from": "24.12.2026"}]}, "blackout_dates.0.from"),
        ({"blackout_dates": [{"from": "2026-12-24", "until": "2026-12-23"}]}, "blackout_dates.0.until"),
        ({"blackout_dates": [{"from": "2026-01-01", "until": "2027-01-02"}]}, "blackout_dates.0.until"),
        ({"blackout_dates": [{"from": "2026-01-01", "name": "x" * 101}]}, "blackout_dates.0.name"),
        ({"blackout_dates": [{"from": "2026-01-01", "zone": "UTC"}]}, "blackout_dates.0"),
        ({"blackout_dates": [{"from": "2026-01-01"}] * 201}, "blackout_dates"),
        ({"legal_policy": "none", "legal_policy_reason": "x"}, "legal_policy"),
        ({"legal_policy": "off", "legal_policy_reason": "x" * 501}, "legal_policy_reason"),
        ({"zone_trust": "neither"}, "zone_trust"),
    ],
)
async def test_what_cannot_be_taken_is_named(session: AsyncSession, sent: dict[str, Any], path: str) -> None:
    organization = await make_organization(session)
    with pytest.raises(FieldErrors) as refused:
        await change(session, organization, **sent)
    assert list(refused.value.errors) == [path]


async def test_both_the_file_and_the_number_may_be_demanded(session: AsyncSession) -> None:
    organization = await make_organization(session)
    assert (await change(session, organization, zone_trust="both")).zone_trust is ZoneTrust.BOTH


async def test_the_table_of_the_law_is_shown_with_its_version_and_sources(session: AsyncSession) -> None:
    table = legal_table(principal=principal(await make_organization(session), role=Role.VIEWER))
    florida = next(rule for rule in table.rules if rule.law == "US-FL")
    assert (florida.hours, florida.attempts_per_day) == ("08:00 to 20:00, every day", 3)
    assert "Florida" in florida.source
    assert (table.version, table.rules[-1].name) == ("2026-12-01", "other countries")


async def test_blackout_dates_are_added_and_removed_one_by_one(session: AsyncSession) -> None:
    organization = await make_organization(session)
    owner = principal(organization)
    inventory, easter = ({"from": day, "until": day, "name": ""} for day in ("2026-03-31", "2026-04-05"))
    for each in ({"from": "2026-04-05", "until": "", "name": ""}, inventory, inventory):
        await add_blackout(session, principal=owner, blackout=each, now=NOON)
    view = await organization_settings(session, principal=owner)
    assert view.blackout_dates == [inventory, easter]
    await remove_blackout(session, principal=owner, blackout=inventory, now=NOON)
    assert (await organization_settings(session, principal=owner)).blackout_dates == [easter]


async def test_a_blackout_that_cannot_be_added_names_its_box(session: AsyncSession) -> None:
    organization = await make_organization(session)
    owner = principal(organization)
    for wrong, box in (({"from": ""}, "from"), ({"from": "2026-03-31", "until": "2026-03-30"}, "until")):
        with pytest.raises(FieldErrors) as refused:
            await add_blackout(session, principal=owner, blackout=wrong, now=NOON)
        assert list(refused.value.errors) == [box]
