"""Agents: who speaks."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.attempt import AttemptStatus
from app.domain.campaign import DIALING, CampaignStatus
from app.domain.rights import Right, Role, has_right
from app.models import Organization
from app.services.access.principal import Principal
from app.services.agents.operations import create_agent, set_agent_active, update_agent
from app.services.agents.queries import get_agent, list_agents
from app.services.errors import Conflict, FieldErrors, NotAllowed, NotFound
from tests.support.builders import (
    NOON,
    make_agent,
    make_attempt,
    make_campaign,
    make_number,
    make_organization,
    make_recipient,
    principal,
)


async def test_an_agent_needs_only_a_name(session: AsyncSession, acme: Organization) -> None:
    owner = principal(acme)
    agent_id = await create_agent(session, principal=owner, changes={"name": " Ava "}, now=NOON)
    view = await get_agent(session, principal=owner, agent_ref=agent_id)
    assert (view.name, view.active, view.language, view.max_concurrent_calls) == ("Ava", True, "en-US", 0)


async def test_an_agent_is_changed_by_id_or_uuid(session: AsyncSession, acme: Organization) -> None:
    agent, number = await make_agent(session, acme), await make_number(session, acme)
    changes = {
        "name": "Eva",
        "greeting": "Hi {{name|title_case}}",
        "max_concurrent_calls": "3",
        "default_phone_number_id": number.id,
    }
    for ref in (agent.id, str(agent.id), agent.public_id, str(agent.public_id)):
        await update_agent(session, principal=principal(acme), agent_ref=ref, changes=changes, now=NOON)
    view = await get_agent(session, principal=principal(acme), agent_ref=agent.id)
    assert (view.name, view.max_concurrent_calls, view.default_phone_number) == ("Eva", 3, number.number)


async def test_a_field_that_is_not_sent_stays(session: AsyncSession, acme: Organization) -> None:
    agent = await make_agent(session, acme, description="Kind")
    await update_agent(
        session, principal=principal(acme), agent_ref=agent.id, changes={"name": "Eva"}, now=NOON
    )
    assert (await get_agent(session, principal=principal(acme), agent_ref=agent.id)).description == "Kind"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("voice", ""),
        ("language", "English!"),
        ("language", ""),
        ("greeting", "Hi {{name"),
        ("greeting", "{% for x in y %}{% endfor %}"),
        ("prompt", "{{ 1 + 1 }}"),
        ("max_concurrent_calls", -1),
        ("max_concurrent_calls", 1.5),
        ("default_phone_number_id", 999),
        ("default_phone_number_id", "not an id"),
        ("colour", "red"),
    ],
)
async def test_a_field_that_will_not_do_is_named(
    session: AsyncSession, acme: Organization, field: str, value: Any
) -> None:
    agent = await make_agent(session, acme)
    with pytest.raises(FieldErrors) as on_update:
        await update_agent(
            session, principal=principal(acme), agent_ref=agent.id, changes={field: value}, now=NOON
        )
    with pytest.raises(FieldErrors) as on_create:
        await create_agent(
            session, principal=principal(acme), changes={"name": "Ava", field: value}, now=NOON
        )
    assert list(on_update.value.errors) == list(on_create.value.errors) == [field]


@pytest.mark.parametrize("theirs", [True, False])
async def test_the_default_caller_id_is_an_active_number_of_ours(
    session: AsyncSession, acme: Organization, *, theirs: bool
) -> None:
    other = await make_organization(session)
    number = await make_number(session, other if theirs else acme, active=theirs)
    changes = {"name": "Ava", "default_phone_number_id": number.id}
    with pytest.raises(FieldErrors) as problem:
        await create_agent(session, principal=principal(acme), changes=changes, now=NOON)
    assert list(problem.value.errors) == ["default_phone_number_id"]


@pytest.mark.parametrize("status", [CampaignStatus.SCHEDULED, CampaignStatus.QUEUED, CampaignStatus.RUNNING])
async def test_an_agent_who_speaks_in_a_campaign_under_way_stays_on(
    session: AsyncSession, acme: Organization, status: CampaignStatus
) -> None:
    agent = await make_agent(session, acme)
    await make_campaign(session, acme, status=status, agent=agent, name="Reminders")
    with pytest.raises(Conflict, match="Reminders"):
        await set_agent_active(session, principal=principal(acme), agent_ref=agent.id, active=False, now=NOON)


@pytest.mark.parametrize("status", [CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.COMPLETED])
async def test_an_agent_of_other_campaigns_can_be_switched_off_and_on(
    session: AsyncSession, acme: Organization, status: CampaignStatus
) -> None:
    agent = await make_agent(session, acme)
    await make_campaign(session, acme, status=status, agent=agent)
    for active in (False, True):
        await set_agent_active(
            session, principal=principal(acme), agent_ref=agent.id, active=active, now=NOON
        )
        [view] = await list_agents(session, principal=principal(acme))
        assert view.active is active


async def test_the_list_counts_campaigns_and_live_calls(session: AsyncSession, acme: Organization) -> None:
    agent, number = await make_agent(session, acme), await make_number(session, acme)
    campaign = await make_campaign(session, acme, agent=agent)
    await make_campaign(session, acme, agent=agent)
    for status in (AttemptStatus.RINGING, AttemptStatus.IN_PROGRESS, AttemptStatus.COMPLETED):
        await make_attempt(session, await make_recipient(session, campaign), number=number, status=status)
    [view] = await list_agents(session, principal=principal(acme))
    assert (view.campaigns_count, view.live_calls) == (2, 2)


async def test_the_list_has_active_agents_first_or_alone(session: AsyncSession, acme: Organization) -> None:
    await make_agent(session, acme, name="Ada", active=False)
    await make_agent(session, acme, name="zoe")
    await make_agent(session, acme, name="Bea")
    await make_agent(session, await make_organization(session), name="Stranger")
    everyone = await list_agents(session, principal=principal(acme, Role.VIEWER))
    active = await list_agents(session, principal=principal(acme, Role.VIEWER), active_only=True)
    assert [agent.name for agent in everyone] == ["Bea", "zoe", "Ada"]
    assert [agent.name for agent in active] == ["Bea", "zoe"]


@pytest.mark.parametrize("role", list(Role))
async def test_agents_are_changed_by_those_with_the_right(
    session: AsyncSession, acme: Organization, role: Role
) -> None:
    agent = await make_agent(session, acme)
    someone = principal(acme, role)
    for act in (
        create_agent(session, principal=someone, changes={"name": "Eva"}, now=NOON),
        update_agent(session, principal=someone, agent_ref=agent.id, changes={"name": "Eva"}, now=NOON),
        set_agent_active(session, principal=someone, agent_ref=agent.id, active=False, now=NOON),
    ):
        if has_right(role, Right.EDIT_AGENTS):
            await act
        else:
            with pytest.raises(NotAllowed):
                await act


async def test_an_agent_of_another_organization_is_not_there(
    session: AsyncSession, acme: Organization
) -> None:
    agent = await make_agent(session, acme)
    stranger = principal(await make_organization(session))
    for act in (
        get_agent(session, principal=stranger, agent_ref=agent.id),
        get_agent(session, principal=stranger, agent_ref=agent.public_id),
        update_agent(session, principal=stranger, agent_ref=agent.id, changes={}, now=NOON),
        set_agent_active(session, principal=stranger, agent_ref=agent.id, active=False, now=NOON),
    ):
        with pytest.raises(NotFound):
            await act


@pytest.mark.parametrize("ref", ["", "nonsense", "9" * 40, -1, "٣"])
async def test_a_nonsensical_id_is_no_agent(session: AsyncSession, acme: Organization, ref: Any) -> None:
    with pytest.raises(NotFound):
        await get_agent(session, principal=principal(acme), agent_ref=ref)


BEGUN = sorted(DIALING | {CampaignStatus.SCHEDULED, CampaignStatus.PAUSED, CampaignStatus.FAILED})
OVER = [CampaignStatus.DRAFT, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED]
SILENT = {"welcome_message_template": ""}


async def change_errors(
    session: AsyncSession, who: Principal, agent_id: int, **changes: Any
) -> dict[str, str]:
    with pytest.raises(FieldErrors) as problem:
        await update_agent(session, principal=who, agent_ref=agent_id, changes=changes, now=NOON)
    await session.rollback()
    return problem.value.errors


@pytest.mark.parametrize("status", BEGUN)
async def test_a_greeting_that_a_begun_campaign_speaks_is_not_emptied(
    session: AsyncSession, acme: Organization, status: CampaignStatus
) -> None:
    agent = await make_agent(session, acme)
    number = await make_number(session, acme)
    step = SILENT | {"agenda_template": "About your order."}
    await make_campaign(session, acme, status=status, agent=agent, number=number, step=step, name="Reminders")
    await session.commit()
    who, agent_id = principal(acme), agent.id
    for blank in ("", " ", "\u200b", "\u2060\ufeff", "{# nothing #}"):
        assert await change_errors(session, who, agent_id, greeting=blank) == {
            "greeting": "“Reminders” has begun and could not go on with this. "
            "Write what the agent says when the call is answered."
        }
    changes = {"greeting": "Good day, {{name}}.", "name": "Eva"}
    await update_agent(session, principal=who, agent_ref=agent_id, changes=changes, now=NOON)


@pytest.mark.parametrize(
    ("status", "step"),
    [*((status, SILENT) for status in OVER), (CampaignStatus.RUNNING, {})],
    ids=[*OVER, "has a welcome of its own"],
)
async def test_a_greeting_that_no_begun_campaign_speaks_may_be_emptied(
    session: AsyncSession, acme: Organization, status: CampaignStatus, step: dict[str, str]
) -> None:
    agent, number = await make_agent(session, acme), await make_number(session, acme)
    await make_campaign(session, acme, status=status, agent=agent, number=number, step=step)
    await update_agent(
        session, principal=principal(acme), agent_ref=agent.id, changes={"greeting": ""}, now=NOON
    )


async def test_a_greeting_asks_for_nothing_that_the_people_of_a_begun_campaign_lack(
    session: AsyncSession, acme: Organization
) -> None:
    agent, number = await make_agent(session, acme), await make_number(session, acme)
    campaign = await make_campaign(
        session, acme, status=CampaignStatus.RUNNING, agent=agent, number=number, step=SILENT
    )
    await make_recipient(session, campaign, variables={"city": "Rome"})
    await session.commit()
    who, agent_id = principal(acme), agent.id
    errors = await change_errors(session, who, agent_id, greeting="Hello from {{town}}")
    assert "Nobody has a value for {{town}}" in errors["greeting"]
    changes = {"greeting": "Hello from {{city}}"}
    await update_agent(session, principal=who, agent_ref=agent_id, changes=changes, now=NOON)


async def test_the_number_that_a_begun_campaign_calls_from_is_not_taken_from_its_agent(
    session: AsyncSession, acme: Organization
) -> None:
    first, second = await make_number(session, acme), await make_number(session, acme)
    agent = await make_agent(session, acme, default_phone_number_id=first.id)
    await make_campaign(session, acme, status=CampaignStatus.RUNNING, agent=agent, name="Reminders")
    await session.commit()
    who, agent_id, second_id = principal(acme), agent.id, second.id
    errors = await change_errors(session, who, agent_id, default_phone_number_id=None)
    assert errors == {
        "default_phone_number_id": "“Reminders” has begun and could not go on with this. "
        "Choose the number that people will see."
    }
    changes = {"default_phone_number_id": second_id}
    await update_agent(session, principal=who, agent_ref=agent_id, changes=changes, now=NOON)


async def test_a_campaign_that_already_wants_something_keeps_no_agent_from_changes(
    session: AsyncSession, acme: Organization
) -> None:
    agent = await make_agent(session, acme, greeting="")
    await make_campaign(session, acme, status=CampaignStatus.FAILED, agent=agent, step=SILENT)
    changes = {"greeting": "", "name": "Eva", "default_phone_number_id": None}
    await update_agent(session, principal=principal(acme), agent_ref=agent.id, changes=changes, now=NOON)
