"""The draft behind every step: read from its row, saved to its row, and nowhere else kept."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.campaigns.audiences import list_audiences
from app.services.campaigns.brief import recipient_counts
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.preflight import start_problems
from app.services.campaigns.setting_declaration import Group
from app.services.campaigns.settings import SETTINGS
from app.services.campaigns.views import CampaignDetail
from app.services.errors import FieldErrors, NotFound
from app.services.imports.queries import list_imports
from app.services.live_hub import Check, Watched, watch
from app.web import routes
from app.web.components import to_first_error
from app.web.guard import FormState, guarded, still_allowed
from app.web.pages.wizard.steps import ADDRESSES, WizardStep, after, before, unfinished
from app.web.visit import Visit

_RIGHT_BY_DEFAULT: Final = frozenset({WizardStep.MESSAGE, WizardStep.PACE})
"""Steps with nothing to mend in a new draft: the agent's greeting and the usual pace will do."""
_VISITS_KEPT: Final = 200
_LATEST_IMPORTS: Final = 10

_HOURS: Final = {name for name, setting in SETTINGS.items() if setting.group is Group.HOURS}
"""Calling hours stand or fall together."""


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
    visited: rx.Field[list[str]] = rx.field(default_factory=list)
    """The steps this tab has shown, as "7/pace": what is right by its defaults is done once it was seen."""

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Show how far the draft is whenever an import has got on."""
        campaign_id = draft_id(self)
        async for _ in import_changes(visit, campaign_id, still_allowed(self, Right.VIEW)):
            draft = await _read(visit, campaign_id)
            async with self:
                self._show(draft)

    async def _look(self, visit: Visit, campaign_id: int) -> CampaignDetail:
        """Read the draft and show how far it is."""
        draft = await _read(visit, campaign_id)
        self._note_step(campaign_id)
        self._show(draft)
        return draft.detail

    def _note_step(self, campaign_id: int) -> None:
        here = f"{campaign_id}/{self.router.url.path.rstrip('/').rpartition('/')[2]}"
        if here not in self.visited:
            self.visited = [*self.visited[-_VISITS_KEPT:], here]

    def _show(self, draft: _Draft) -> None:
        detail = draft.detail
        done = {step for step in WizardStep if step not in draft.todo and self._was_seen(step, detail)}
        self.name, self.status, self.channel = detail.settings.name, detail.status, detail.settings.channel
        self.locked, self.contacts = detail.locked_because or "", draft.contacts
        self.basics_done = WizardStep.BASICS in done
        self.message_done = WizardStep.MESSAGE in done
        self.contacts_done = WizardStep.CONTACTS in done
        self.pace_done = WizardStep.PACE in done

    def _was_seen(self, step: WizardStep, detail: CampaignDetail) -> bool:
        """Whether somebody has looked at the step; the review shows them all."""
        if step not in _RIGHT_BY_DEFAULT or detail.status is not CampaignStatus.DRAFT:
            return True
        return bool({f"{detail.id}/{step}", f"{detail.id}/{WizardStep.REVIEW}"}.intersection(self.visited))


class StepState(FormState, mixin=True):
    """What every step does: open the draft, keep what is typed, and go on or back without losing any of it.

    A step says what its form means in `_changes`, and shows the draft in `_show`.
    """

    STEP: ClassVar[WizardStep] = WizardStep.BASICS

    revision: rx.Field[int] = rx.field(0)
    """Grows with each opening, so that boxes left to the browser take the draft's values anew."""

    @guarded(Right.EDIT_CAMPAIGNS)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Open the draft."""
        self.loading, self.problem, self.errors = True, "", {}
        yield
        self.revision += 1
        await self._show(visit, await self._look(visit))
        self.loading = False

    @guarded(Right.EDIT_CAMPAIGNS)
    async def keep(self, visit: Visit, form: dict[str, Any]) -> None:
        """Save what can be taken of the form; what is still to be chosen is asked for on the way on."""
        shown = set(self.errors)
        missing = await self._save(visit, form)
        self.errors = {
            name: text for name, text in self.errors.items() if name not in missing or name in shown
        }

    @guarded(Right.EDIT_CAMPAIGNS)
    async def back(self, visit: Visit, form: dict[str, Any]) -> EventSpec | None:
        """Save what can be taken, and go to the step before."""
        await self._save(visit, form)
        return _way_to(self, visit.principal, before(self.STEP))

    @guarded(Right.EDIT_CAMPAIGNS)
    async def forward(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Save, and go to the next step unless something has to be mended first."""
        self.saving = True
        yield None
        await self._save(visit, form)
        yield to_first_error() if self.errors else _way_to(self, visit.principal, after(self.STEP))

    async def _save(self, visit: Visit, form: Mapping[str, Any]) -> frozenset[str]:
        """Save the form, with `errors` of what was not taken; return the fields that were left open."""
        missing: dict[str, str] = {}
        changes = self._changes(form if isinstance(form, dict) else {}, missing)
        refused = await save_draft(visit, draft_id(self), changes)
        self.errors = missing | refused
        await self._show(visit, await self._look(visit))
        return frozenset(missing.keys() - refused.keys())

    async def _look(self, visit: Visit) -> CampaignDetail:
        return await (await self.get_state(WizardState))._look(visit, draft_id(self))  # noqa: SLF001 - ours

    def _changes(self, form: Mapping[str, Any], missing: dict[str, str]) -> dict[str, Any]:
        """Return the settings the form asks for; what this step cannot do without is named in `missing`."""
        raise NotImplementedError

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        """Show the draft as its row holds it."""
        raise NotImplementedError


async def import_changes(visit: Visit, campaign_id: int, check: Check) -> AsyncIterator[None]:
    """Yield at once, and whenever somebody, a file or a rule has added people, as long as somebody watches."""

    async def look() -> tuple[tuple[int, str, int] | int, ...]:
        async with visit.reading() as session:
            page = await list_imports(
                session, principal=visit.principal, campaign_ref=campaign_id, page_size=_LATEST_IMPORTS
            )
            rules = await list_audiences(session, principal=visit.principal, campaign_ref=campaign_id)
            counts = await recipient_counts(session, campaign_id)  # which the list has found
        return (
            sum(counts.values()),
            *((view.id, view.status, view.accepted) for view in page.items),
            *((rule.id, rule.status, rule.added) for rule in rules),
        )

    watched = Watched(visit.principal.organization_id, campaign_id, "imports of a draft")
    async for _ in watch(watched, look, check=check):
        yield


def draft_id(state: rx.State) -> int:
    """Return the campaign the address claims. Raises `NotFound`."""
    campaign_id = routes.place(state.router.url.path).campaign_id
    if campaign_id is None:
        raise NotFound("campaign", "")
    return campaign_id


async def save_draft(visit: Visit, campaign_id: int, changes: Mapping[str, Any]) -> dict[str, str]:
    """Save every change that can be taken. Return what has to be mended in the others, by setting.

    Raises `Conflict` when the campaign can no longer be edited.
    """
    left, errors = dict(changes), dict[str, str]()
    while left:
        try:
            await _update(visit, campaign_id, left)
        except FieldErrors as refused:
            errors |= refused.errors
            bad = {field.partition(".")[0] for field in refused.errors}
            bad = (bad | _HOURS if bad & _HOURS else bad) & left.keys()
            if not bad:
                raise
            left = {name: value for name, value in left.items() if name not in bad}
        else:
            break
    return errors


async def _read(visit: Visit, campaign_id: int) -> _Draft:
    async with visit.reading() as session:
        detail = await get_campaign(session, principal=visit.principal, campaign_ref=campaign_id)
        problems = await start_problems(
            session, principal=visit.principal, campaign_ref=campaign_id, now=visit.now
        )
        counts = await recipient_counts(session, detail.id)
    return _Draft(detail, sum(counts.values()), unfinished(problems))


async def _update(visit: Visit, campaign_id: int, changes: Mapping[str, Any]) -> None:
    await visit.write(
        lambda session: update_campaign(
            session,
            principal=visit.principal,
            campaign_ref=campaign_id,
            changes=changes,
            now=visit.now,
        )
    )


def _way_to(state: rx.State, principal: Principal, step: WizardStep | None) -> EventSpec | None:
    if step is None:
        return None
    return rx.redirect(ADDRESSES[step](principal.organization_slug, draft_id(state)))
