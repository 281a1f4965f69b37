"""The Settings tab: every setting, readable always and editable in draft, paused and failed."""

from collections.abc import Collection, Mapping
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from app.domain.campaign import Channel
from app.domain.rights import Right
from app.services.agents.queries import list_agents
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.views import CampaignDetail
from app.services.errors import FieldErrors
from app.services.live_hub import watch as watch_live
from app.services.numbers.queries import NumberView, list_numbers
from app.web.campaign_here import campaign_here
from app.web.components import say, say_done, to_first_error
from app.web.guard import FormState, anyone, guarded, still_allowed
from app.web.options import Option
from app.web.pages.campaign.advanced.presenter import summaries
from app.web.pages.campaign.settings.presenter import (
    Group,
    changes_asked,
    day_options,
    form_of,
    groups,
    retry_options,
)
from app.web.pages.campaign.state import CampaignState, live_snapshot, read_header
from app.web.visit import Visit


class CampaignSettingsState(FormState, rx.State):
    """The settings on show, and the form while they are edited."""

    groups: rx.Field[list[Group]] = rx.field(default_factory=list)
    locked: rx.Field[str] = rx.field("")
    """Why they cannot be changed now."""
    warnings: rx.Field[list[str]] = rx.field(default_factory=list)
    editing: rx.Field[bool] = rx.field(False)
    is_text: rx.Field[bool] = rx.field(False)
    form: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    said: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Section of the finer settings -> what is set in it."""
    agents: rx.Field[list[Option]] = rx.field(default_factory=list)
    numbers: rx.Field[list[Option]] = rx.field(default_factory=list)
    """Every number that may be the caller ID, and those that are chosen; ticked: it is in the pool."""
    days: rx.Field[list[Option]] = rx.field(default_factory=list)
    outcomes: rx.Field[list[Option]] = rx.field(default_factory=list)
    voicemail: rx.Field[bool] = rx.field(True)

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the settings."""
        self.loading, self.problem, self.editing, self.errors = True, "", False, {}
        self._show(visit, await _read(visit, campaign_here(self)))
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Show them again when the campaign moves on to another status."""
        campaign_id, seen = campaign_here(self), ""
        watched, load = live_snapshot(visit, campaign_id)
        async for snapshot in watch_live(watched, load, check=still_allowed(self, Right.VIEW)):
            if snapshot.status != seen:
                seen = snapshot.status
                detail = await _read(visit, campaign_id)
                async with self:
                    self._show(visit, detail)
                    self.editing = self.editing and not self.locked

    @guarded(Right.EDIT_CAMPAIGNS)
    async def edit(self, visit: Visit) -> None:
        """Open the form, filled in with what is set now."""
        detail = await _read(visit, campaign_here(self))
        settings = detail.settings
        async with visit.reading() as session:
            agents = await list_agents(session, principal=visit.principal)
            numbers = await list_numbers(session, principal=visit.principal)
        self._show(visit, detail)
        self.errors, self.form, self.said = {}, form_of(settings), summaries(settings)
        self.agents = [
            Option(str(one.id), one.name if one.active else f"{one.name}, not active")
            for one in agents
            if one.active or one.id == settings.agent_id
        ]
        chosen = {settings.phone_number_id, *settings.number_pool}
        self.numbers = [
            Option(str(one.id), _shown(one), one.id in settings.number_pool)
            for one in numbers
            if one.id in chosen or (one.active and (one.sms if self.is_text else one.voice))
        ]
        self.days, self.outcomes = day_options(settings), retry_options(settings)
        self.voicemail = settings.enable_voicemail_detection
        self.editing = not self.locked

    @anyone
    def give_up(self) -> None:
        """Close the form; nothing is saved."""
        self.editing, self.errors = False, {}

    @guarded(Right.EDIT_CAMPAIGNS)
    async def save(self, visit: Visit, form: dict[str, Any]) -> EventSpec:
        """Save what the form changes, or say at the fields what to mend."""
        self.saving, self.errors = True, {}
        campaign_id = campaign_here(self)
        before = await _read(visit, campaign_id)
        changes = changes_asked(form, before.settings, [int(one.value) for one in self.numbers])
        try:
            await _save(visit, campaign_id, changes, as_shown=before.unreadable.keys())
        except FieldErrors as refused:
            self.errors = dict(refused.errors)
            return to_first_error()
        self._show(visit, await _read(visit, campaign_id))
        self.editing = False
        (await self.get_state(CampaignState)).header = await read_header(visit, campaign_id)
        return say_done("Settings saved") if changes or before.unreadable else say("Nothing was changed")

    def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        self.groups = groups(detail, now=visit.now)
        self.locked = detail.locked_because or ""
        self.warnings = [*detail.unreadable.values(), *detail.number_warnings]
        self.is_text = detail.settings.channel is Channel.SMS


async def _save(
    visit: Visit, campaign_id: int, changes: Mapping[str, Any], *, as_shown: Collection[str]
) -> None:
    if changes.get("allowed_days") == ():
        raise FieldErrors({"allowed_days": "Tick at least one day."})
    if not changes and not as_shown:
        return
    await visit.write(
        lambda session: update_campaign(
            session,
            principal=visit.principal,
            campaign_ref=campaign_id,
            changes=changes,
            as_shown=as_shown,
            now=visit.now,
        )
    )


async def _read(visit: Visit, campaign_id: int) -> CampaignDetail:
    async with visit.reading() as session:
        return await get_campaign(session, principal=visit.principal, campaign_ref=campaign_id)


def _shown(number: NumberView) -> str:
    shown = f"{number.label} ({number.pretty})" if number.label else number.pretty
    return shown if number.active else f"{shown}, not active"
