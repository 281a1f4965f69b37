"""The draft behind every step: read from its row, saved to its row, and nowhere else kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.services.campaigns.audiences import list_audiences
from app.services.campaigns.brief import campaign_version, recipient_counts
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.preflight import start_problems
from app.services.campaigns.views import CampaignDetail
from app.services.errors import NotFound
from app.services.imports.queries import list_imports
from app.services.live_hub import Check, Watched, watch
from app.web import routes
from app.web.components import say_done
from app.web.guard import guarded, still_allowed
from app.web.pages.wizard.saving import read_campaign
from app.web.pages.wizard.steps import WizardStep, unfinished
from app.web.visit import Visit

_RIGHT_BY_DEFAULT: Final = frozenset({WizardStep.MESSAGE, WizardStep.PACE})
"""Steps with nothing to correct in a new draft: the agent's greeting and the usual pace will do."""
_VISITS_KEPT: Final = 200
_LATEST_IMPORTS: Final = 10


@dataclass(frozen=True, slots=True)
class _Draft:
    """A draft as one reading finds it."""

    detail: CampaignDetail
    contacts: int
    todo: frozenset[WizardStep]
    """The steps that have something to mend."""


class WizardState(rx.State):
    """What the frame around every step shows of the draft."""

    name: rx.Field[str] = rx.field("")
    status: rx.Field[str] = rx.field("draft")
    locked: rx.Field[str] = rx.field("")
    """Why the campaign cannot be edited now; empty if it can."""
    channel: rx.Field[str] = rx.field("call")
    contacts: rx.Field[int] = rx.field(0)
    basics_done: rx.Field[bool] = rx.field(False)
    message_done: rx.Field[bool] = rx.field(False)
    contacts_done: rx.Field[bool] = rx.field(False)
    pace_done: rx.Field[bool] = rx.field(False)
    is_draft: rx.Field[bool] = rx.field(True)
    saved_at: rx.Field[str] = rx.field("")
    """When settings were changed last, in ISO 8601."""
    unreadable: rx.Field[list[str]] = rx.field(default_factory=list)
    """Sentences on settings that cannot be read and are shown at their default."""
    visited: rx.Field[list[str]] = rx.field(default_factory=list)
    """The steps this tab has shown, as "7/pace": what is right by its defaults is done once it was seen."""

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Show how far the draft is whenever an import has got on."""
        campaign_id = draft_id(self)
        async for _ in changes_elsewhere(visit, campaign_id, still_allowed(self, Right.VIEW)):
            draft = await _read(visit, campaign_id)
            async with self:
                self._show(draft)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def take_defaults(self, visit: Visit) -> EventSpec:
        """Set what cannot be read to the defaults at which it is shown."""
        campaign_id = draft_id(self)
        detail = await read_campaign(visit, campaign_id)
        await visit.write(
            lambda session: update_campaign(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                changes={},
                as_shown=detail.unreadable.keys(),
                now=visit.now,
            )
        )
        await self._look(visit, campaign_id)
        return say_done("Settings saved")

    async def _look(self, visit: Visit, campaign_id: int) -> CampaignDetail:
        """Read the draft and show how far it is."""
        draft = await _read(visit, campaign_id)
        here = f"{campaign_id}/{self.router.url.path.rstrip('/').rpartition('/')[2]}"
        if here not in self.visited:
            self.visited = [*self.visited[-_VISITS_KEPT:], here]
        self._show(draft)
        return draft.detail

    def _show(self, draft: _Draft) -> None:
        detail = draft.detail
        done = {step for step in WizardStep if step not in draft.todo and self._was_seen(step, detail)}
        self.name, self.status, self.channel = detail.settings.name, detail.status, detail.settings.channel
        self.locked, self.contacts = detail.locked_because or "", draft.contacts
        self.is_draft = detail.status is CampaignStatus.DRAFT
        self.saved_at, self.unreadable = detail.updated_at.isoformat(), list(detail.unreadable.values())
        self.basics_done = WizardStep.BASICS in done
        self.message_done = WizardStep.MESSAGE in done
        self.contacts_done = WizardStep.CONTACTS in done
        self.pace_done = WizardStep.PACE in done

    def _was_seen(self, step: WizardStep, detail: CampaignDetail) -> bool:
        """Whether somebody has looked at the step; the review shows them all."""
        if step not in _RIGHT_BY_DEFAULT or detail.status is not CampaignStatus.DRAFT:
            return True
        return bool({f"{detail.id}/{step}", f"{detail.id}/{WizardStep.REVIEW}"}.intersection(self.visited))


async def changes_elsewhere(visit: Visit, campaign_id: int, check: Check) -> AsyncIterator[None]:
    """Yield at once, and whenever settings have changed or people were added, as long as somebody watches."""

    async def look() -> tuple[object, ...]:
        async with visit.reading() as session:
            page = await list_imports(
                session, principal=visit.principal, campaign_ref=campaign_id, page_size=_LATEST_IMPORTS
            )
            rules = await list_audiences(session, principal=visit.principal, campaign_ref=campaign_id)
            version = await campaign_version(session, principal=visit.principal, campaign_ref=campaign_id)
        return (
            *version,
            *((view.id, view.status, view.accepted) for view in page.items),
            *((rule.id, rule.status, rule.added) for rule in rules),
        )

    watched = Watched(visit.principal.organization_id, campaign_id, "settings and people")
    async for _ in watch(watched, look, check=check):
        yield


def draft_id(state: rx.State) -> int:
    """Return the campaign the address claims. Raises `NotFound`."""
    campaign_id = routes.place(state.router.url.path).campaign_id
    if campaign_id is None:
        raise NotFound("campaign", "")
    return campaign_id


async def _read(visit: Visit, campaign_id: int) -> _Draft:
    async with visit.reading() as session:
        detail = await get_campaign(session, principal=visit.principal, campaign_ref=campaign_id)
        problems = await start_problems(
            session, principal=visit.principal, campaign_ref=campaign_id, now=visit.now
        )
        counts = await recipient_counts(session, detail.id)
    return _Draft(detail, sum(counts.values()), unfinished(problems))
