"""Basics as the draft's row holds them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import reflex as rx

from app.domain.campaign import CampaignStatus, Channel
from app.domain.phone import pretty
from app.domain.rights import Right
from app.services.agents.queries import AgentView, list_agents
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.services.numbers.queries import NumberView, list_numbers
from app.web.guard import guarded
from app.web.options import Option
from app.web.pages.campaign.fields import basics
from app.web.pages.campaign.fields.basics import DEFAULT, ONE, POOL, NumberOption
from app.web.pages.campaign.fields.boxes import setting_of
from app.web.pages.campaign.fields.form import BASICS
from app.web.pages.wizard.saving import save_typed
from app.web.pages.wizard.state import WizardState
from app.web.pages.wizard.step_state import StepState
from app.web.pages.wizard.steps import WizardStep
from app.web.visit import Visit


class BasicsState(StepState, rx.State):
    """Name, channel, agent and number."""

    STEP: ClassVar[WizardStep] = WizardStep.BASICS
    SETTINGS: ClassVar[frozenset[str]] = BASICS

    purpose: rx.Field[str] = rx.field("")
    channel: rx.Field[str] = rx.field("call")
    channel_fixed: rx.Field[bool] = rx.field(False)
    agents: rx.Field[list[Option]] = rx.field(default_factory=list)
    number_choice: rx.Field[str] = rx.field(DEFAULT)
    _number_set: str = DEFAULT
    """The kind of caller ID that is set; another may be chosen, with its number still to come."""
    numbers: rx.Field[list[NumberOption]] = rx.field(default_factory=list)
    default_number: rx.Field[str] = rx.field("")
    """Which number "the default" is, in words."""
    pool_advice: rx.Field[str] = rx.field("")

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_purpose(self, visit: Visit, purpose: str) -> None:
        """Inform people, or sell them something."""
        await self._choose(visit, {basics.PURPOSE: purpose})

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_channel(self, visit: Visit, channel: str) -> None:
        """Call people or text them."""
        await self._choose(visit, {basics.CHANNEL: channel})

    @guarded(Right.EDIT_CAMPAIGNS)
    async def choose_numbers(self, visit: Visit, choice: str) -> None:
        """Show one number or the pool to choose from, or go by the default."""
        self.number_choice = choice if choice in {ONE, POOL} else DEFAULT
        if self.number_choice == DEFAULT:
            pool = {box: "" for box in self.values if setting_of(box) == basics.NUMBERS}
            await self._choose(visit, {basics.NUMBER: "", **pool})
        else:
            self._ask({})
            await self._look(visit)

    def _beside(
        self, changes: Mapping[str, Any], settings: CampaignSettings, now: datetime
    ) -> dict[str, Any]:
        del settings, now
        if self.number_choice == ONE and changes.get(basics.NUMBER):
            return {basics.NUMBERS: [], **changes}
        if self.number_choice == POOL and changes.get(basics.NUMBERS):
            return {basics.NUMBER: None, **changes}
        return dict(changes)

    def _lacking(self, detail: CampaignDetail) -> dict[str, str]:
        return basics.lacking(detail.settings, has_agents=bool(self.agents), chosen=self.number_choice)

    def _spoken(self, box: str, text: str) -> str:
        options = {
            basics.AGENT: {one.value: one.words for one in self.agents},
            basics.NUMBER: {one.value: one.words for one in self.numbers},
            basics.CHANNEL: {one.value: one.label for one in basics.CHANNELS},
        }
        return options.get(box, {}).get(text, text)

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        settings = detail.settings
        async with visit.reading() as session:
            agents = await list_agents(session, principal=visit.principal)
            numbers = await list_numbers(session, principal=visit.principal)
        chosen = basics.number_choice(settings)
        if self.loading or chosen != self._number_set:
            self.number_choice = self._number_set = chosen
        self.purpose = settings.purpose.value
        self.channel, self.channel_fixed = settings.channel, detail.status is not CampaignStatus.DRAFT
        self.agents = _agent_options(agents, settings.agent_id)
        self.numbers = basics.number_options(numbers, settings, visit.now)
        self.default_number = _default_number(agents, numbers, settings)
        contacts = (await self.get_state(WizardState)).contacts
        self.pool_advice = basics.pool_advice(contacts, settings)

    async def _prepare(self, visit: Visit, detail: CampaignDetail) -> CampaignDetail:
        """Choose the agent of a new draft where there is but one to choose."""
        settings = detail.settings
        is_open = detail.status is CampaignStatus.DRAFT and settings.channel is Channel.CALL
        if not self.loading or not is_open or settings.agent_id is not None:
            return detail
        async with visit.reading() as session:
            active = [one for one in await list_agents(session, principal=visit.principal) if one.active]
        if len(active) != 1:
            return detail
        only = {basics.AGENT: str(active[0].id)}
        await save_typed(visit, detail.id, only, {basics.AGENT: ""}, self._beside)
        return await (await self.get_state(WizardState))._look(visit, detail.id)  # noqa: SLF001 - ours


def _agent_options(agents: Sequence[AgentView], chosen: int | None) -> list[Option]:
    """Return the active agents, and the chosen one even if it no longer is."""
    return [
        Option(str(agent.id), agent.name if agent.active else f"{agent.name} (not active)")
        for agent in agents
        if agent.active or agent.id == chosen
    ]


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
