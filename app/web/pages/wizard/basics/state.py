"""Basics as the draft's row holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import reflex as rx

from app.domain.campaign import CampaignStatus, Channel
from app.domain.phone import pretty
from app.domain.rights import Right
from app.services.agents.queries import AgentView, list_agents
from app.services.campaigns.number_warnings import CONTACTS_PER_NUMBER
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.services.numbers.queries import NumberView, list_numbers
from app.web.forms import whole
from app.web.guard import guarded
from app.web.options import Option
from app.web.pages.wizard.state import StepState, WizardState, draft_id, save_draft
from app.web.pages.wizard.steps import WizardStep
from app.web.visit import Visit

DEFAULT, ONE, POOL = "default", "one", "pool"
POOL_PREFIX: Final = "pool-"


@dataclass(frozen=True, slots=True)
class NumberOption:
    """One of our numbers to choose or tick."""

    value: str
    words: str
    note: str
    box: str
    """The name of its tick box in the form."""
    ticked: bool


class BasicsState(StepState, rx.State):
    """Name, channel, agent and number."""

    STEP: ClassVar[WizardStep] = WizardStep.BASICS

    name: rx.Field[str] = rx.field("")
    description: rx.Field[str] = rx.field("")
    channel: rx.Field[str] = rx.field("call")
    channel_fixed: rx.Field[bool] = rx.field(False)
    agent: rx.Field[str] = rx.field("")
    agents: rx.Field[list[Option]] = rx.field(default_factory=list)
    number_choice: rx.Field[str] = rx.field(DEFAULT)
    number: rx.Field[str] = rx.field("")
    numbers: rx.Field[list[NumberOption]] = rx.field(default_factory=list)
    default_number: rx.Field[str] = rx.field("")
    """Which number "the default" is, in words."""
    pool_advice: rx.Field[str] = rx.field("")

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_channel(self, visit: Visit, channel: str) -> None:
        """Call people or text them."""
        self.errors = await save_draft(visit, draft_id(self), {"channel": channel})
        await self._show(visit, await self._look(visit))

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_numbers(self, visit: Visit, choice: str) -> None:
        """Show one number or the pool to choose from, or go by the default."""
        self.number_choice = choice if choice in {ONE, POOL} else DEFAULT
        self.errors = {}
        if self.number_choice == DEFAULT:
            await save_draft(visit, draft_id(self), {"phone_number_id": None, "number_pool": []})
        await self._show(visit, await self._look(visit))

    def _changes(self, form: Mapping[str, Any], missing: dict[str, str]) -> dict[str, Any]:
        changes = {name: form[name] for name in ("name", "description") if name in form}
        if "agent_id" in form:
            changes["agent_id"] = _id(form["agent_id"])
            if changes["agent_id"] is None and self.agents and self.channel == Channel.CALL:
                missing["agent_id"] = "Choose the agent who makes the calls."
        return changes | self._number_changes(form, missing)

    def _number_changes(self, form: Mapping[str, Any], missing: dict[str, str]) -> dict[str, Any]:
        pool = [
            _id(name.removeprefix(POOL_PREFIX)) for name, ticked in form.items() if _is_ticked(name, ticked)
        ]
        if self.number_choice == ONE and "phone_number_id" in form:
            number = _id(form["phone_number_id"])
            if number is None:
                missing["phone_number_id"] = "Choose the number that people will see."
            return {"phone_number_id": number, "number_pool": []}
        if self.number_choice == POOL:
            if not pool:
                missing["number_pool"] = "Tick at least one number."
            return {"phone_number_id": None, "number_pool": pool}
        return {}

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        settings = detail.settings
        async with visit.reading() as session:
            agents = await list_agents(session, principal=visit.principal)
            numbers = await list_numbers(session, principal=visit.principal)
        if self.loading:
            detail = await self._preselect(visit, detail, agents)
            settings = detail.settings
            self.name, self.description = settings.name, settings.description
            self.number_choice = _choice(settings)
        self.channel, self.channel_fixed = settings.channel, detail.status is not CampaignStatus.DRAFT
        self.agent = str(settings.agent_id or "")
        self.agents = _agent_options(agents, settings.agent_id)
        self.number = str(settings.phone_number_id or "")
        self.numbers = _number_options(numbers, settings, visit.now)
        self.default_number = _default_number(agents, numbers, settings)
        contacts = (await self.get_state(WizardState)).contacts
        self.pool_advice = _pool_advice(contacts, len(settings.number_pool))

    async def _preselect(
        self, visit: Visit, detail: CampaignDetail, agents: Sequence[AgentView]
    ) -> CampaignDetail:
        """Choose the agent of a new draft where there is but one to choose."""
        settings, active = detail.settings, [agent for agent in agents if agent.active]
        is_open = detail.status is CampaignStatus.DRAFT and settings.channel is Channel.CALL
        if not is_open or settings.agent_id is not None or len(active) != 1:
            return detail
        await save_draft(visit, detail.id, {"agent_id": active[0].id})
        return await self._look(visit)


def _choice(settings: CampaignSettings) -> str:
    if settings.number_pool:
        return POOL
    return ONE if settings.phone_number_id is not None else DEFAULT


def _agent_options(agents: Sequence[AgentView], chosen: int | None) -> list[Option]:
    """Return the active agents, and the chosen one even if it no longer is."""
    return [
        Option(str(agent.id), agent.name if agent.active else f"{agent.name} (not active)")
        for agent in agents
        if agent.active or agent.id == chosen
    ]


def _number_options(
    numbers: Sequence[NumberView], settings: CampaignSettings, now: datetime
) -> list[NumberOption]:
    """Return the numbers fit for the channel, and the chosen ones even if they are not."""
    chosen = {settings.phone_number_id, *settings.number_pool}
    return [
        NumberOption(
            value=str(number.id),
            words=f"{number.pretty} · {number.label}" if number.label else number.pretty,
            note=_why_unfit(number, settings.channel) or _rest(number, settings.channel, now) or _use(number),
            box=f"{POOL_PREFIX}{number.id}",
            ticked=number.id in settings.number_pool,
        )
        for number in numbers
        if number.id in chosen or not _why_unfit(number, settings.channel)
    ]


def _why_unfit(number: NumberView, channel: Channel) -> str:
    if not number.active:
        return "Not active: it will not be used"
    if channel is Channel.SMS:
        return "" if number.sms else "Cannot send text messages: it will not be used"
    return "" if number.voice else "Cannot make calls: it will not be used"


def _rest(number: NumberView, channel: Channel, now: datetime) -> str:
    return "Rests: it makes no calls just now" if channel is Channel.CALL and number.is_resting(now) else ""


def _use(number: NumberView) -> str:
    return f"In {number.campaigns_count} campaign{'s' * (number.campaigns_count != 1)}"


def _default_number(
    agents: Sequence[AgentView], numbers: Sequence[NumberView], settings: CampaignSettings
) -> str:
    agent = next((agent for agent in agents if agent.id == settings.agent_id), None)
    if agent is not None and agent.default_phone_number:
        return f"{pretty(agent.default_phone_number)}, the number of {agent.name}"
    if agent is None and settings.channel is Channel.CALL:
        return "Choose an agent first: the default is the agent's own number, else your organization's."
    own = next((number for number in numbers if number.is_default), None)
    if own is not None:
        return f"{own.pretty}, your organization's number"
    return "None yet: neither the agent nor your organization has one. Choose one number or a pool."


def _pool_advice(contacts: int, ticked: int) -> str:
    advice = (
        f"Use at least 1 number per {CONTACTS_PER_NUMBER} contacts: carriers flag a number that calls many."
    )
    if not contacts:
        return advice
    needed = -(-contacts // CONTACTS_PER_NUMBER)
    return f"{advice} {contacts:,} contact{'s' * (contacts != 1)}: {needed:,} or more; {ticked} ticked."


def _is_ticked(name: str, value: object) -> bool:
    return name.startswith(POOL_PREFIX) and value in (True, "on", "true")


def _id(raw: object) -> int | None:
    return whole(str(raw or "").strip())
