"""The state of a step that has boxes: they are saved as they are typed in, and follow what others change."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import reflex as rx
from reflex.event import EventCallback, EventSpec

from app.domain.campaign import CampaignStatus
from app.domain.rights import Right
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.services.errors import Conflict, NotFound
from app.web import routes
from app.web.components import to_first_error
from app.web.guard import FormState, guarded, still_allowed
from app.web.pages.campaign.fields.boxes import setting_of
from app.web.pages.campaign.fields.form import label_of, texts_of
from app.web.pages.wizard.given import GivenTexts
from app.web.pages.wizard.saving import SentBoxes, save_typed
from app.web.pages.wizard.state import WizardState, changes_elsewhere, draft_id
from app.web.pages.wizard.steps import ADDRESSES, WizardStep, after, before
from app.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Clash:
    """A box whose setting somebody else has changed since this tab read it, and this tab too."""

    box: str
    label: str
    theirs: str
    """What it is now, in words; so is `mine`."""
    mine: str
    typed: str
    """Its text in the box."""


class StepState(FormState, mixin=True):
    """What every step does: open the campaign, keep what is typed, and go on or back without losing any of it.

    The boxes are the browser's (`assets/editor.js`): it puts in what `sheet` says and sends those that were typed in,
    each with the version of its text that it has shown. What that version was is known here, and by it whether
    somebody else has changed the setting meanwhile. A step shows the rest of the campaign in `_show`.
    """

    STEP: ClassVar[WizardStep] = WizardStep.BASICS
    SETTINGS: ClassVar[frozenset[str]] = frozenset()
    """The settings whose boxes the step has."""

    values: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Box -> its text as the campaign has it."""
    clashes: rx.Field[list[Clash]] = rx.field(default_factory=list)
    _campaign_id: int = 0
    _given: GivenTexts = GivenTexts()
    _answered: str = ""
    """The last message that was answered."""
    _asked: tuple[str, ...] = ()
    """The errors that ask for something still to be chosen: nothing that was typed is lost by them."""

    @rx.var
    def sheet(self) -> str:
        """What the boxes show, for the browser."""
        return json.dumps(
            {
                "campaign": self._campaign_id,
                "settings": sorted(self.SETTINGS),
                **self._given.to_json(),
                "answered": self._answered,
            }
        )

    @rx.var
    def unsaved(self) -> str:
        """Why something typed is not saved; empty if all is."""
        if self.clashes:
            return f"Not saved: “{self.clashes[0].label}” was changed elsewhere. Choose above."
        refused = [path for path in self.errors if path not in self._asked]
        if not refused:
            return ""
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        return f"Not saved: see “{label_of(refused[0])}”{more}."

    @guarded(Right.EDIT_CAMPAIGNS)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Open the campaign."""
        self.loading, self.problem, self.errors, self.clashes = True, "", {}, []
        self._campaign_id = draft_id(self)
        self.values, self._given = {}, GivenTexts(self._given.version)
        yield
        await self._look(visit)
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def follow(self, visit: Visit) -> AsyncIterator[EventCallback[()]]:
        """Show what others change, from when the step was opened."""
        async for _ in changes_elsewhere(visit, draft_id(self), still_allowed(self, Right.VIEW)):
            if self.problem:
                return
            yield self.__class__.catch_up()  # its own, not that of Reflex's proxy

    @guarded(Right.EDIT_CAMPAIGNS)
    async def catch_up(self, visit: Visit) -> None:
        """Show the campaign as it is now; what is being typed stays."""
        if self._is_shown():
            await self._look(visit)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def keep(self, visit: Visit, form: dict[str, Any]) -> EventSpec | None:
        """Save what was typed, as far as it can be taken."""
        shown = {name: text for name, text in self.errors.items() if name in self._asked}
        detail = await self._save(visit, form)
        lacking = self._lacking(detail)
        self._ask({name: text for name, text in lacking.items() if name in shown})
        if self.unsaved and not self._is_shown():
            return rx.toast.error(self.unsaved, duration=10_000)
        return None

    @guarded(Right.EDIT_CAMPAIGNS)
    async def back(self, visit: Visit, form: dict[str, Any]) -> EventSpec | None:
        """Save, and go to the step before unless something typed cannot be saved."""
        await self._save(visit, form)
        if self.errors:
            return to_first_error()
        if (step := before(self.STEP)) is None:
            return None
        return rx.redirect(ADDRESSES[step](visit.principal.organization_slug, draft_id(self)))

    @guarded(Right.EDIT_CAMPAIGNS)
    async def forward(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Save, and go on unless something has to be corrected first: to the next step, at the end to the campaign."""
        self.saving = True
        yield None
        detail = await self._save(visit, form)
        self._ask(self._lacking(detail))
        yield to_first_error() if self.errors else self._way_on(visit, detail)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def keep_mine(self, visit: Visit, box: str) -> None:
        """Save what was typed in a box over what somebody else has made of its setting."""
        for clash in [clash for clash in self.clashes if clash.box == box]:
            await self._save(visit, {box: clash.typed}, others_stay=True)

    @guarded(Right.EDIT_CAMPAIGNS)
    async def take_theirs(self, visit: Visit, box: str) -> None:
        """Give up what was typed in a box, and show what somebody else has made of its setting."""
        if box not in {clash.box for clash in self.clashes}:
            return
        self._settle(box)
        self._given = self._given.give(box, self.values.get(box, ""), forced=True)
        await self._look(visit)

    async def _choose(
        self, visit: Visit, texts: Mapping[str, str], *, in_sight: bool = False
    ) -> CampaignDetail:
        """Save what was chosen by a click, beside all that is typed.

        `in_sight`: the boxes are on the page and show something else. They are given their texts, since nobody typed
        them there.
        """
        detail = await self._save(visit, texts, others_stay=True)
        for box in texts if in_sight else ():
            self._given = self._given.give(box, self.values.get(box, ""), forced=True)
        return detail

    async def _save(
        self, visit: Visit, form: Mapping[str, Any], *, others_stay: bool = False
    ) -> CampaignDetail:
        """Save what was typed, and say in `errors` and `clashes` what could not be; return the campaign then.

        The form holds every box with something typed and not saved, unless others stay as they were.
        """
        sent = SentBoxes.read(form if isinstance(form, dict) else {}, self.SETTINGS)
        if sent.campaign_id not in (None, self._campaign_id):
            raise NotFound("campaign", sent.campaign_id)
        self._answered = sent.message or self._answered
        for clash in self.clashes:
            if clash.box in sent.texts or not others_stay:
                self._settle(clash.box)
        bases = {box: self._given.at(box, sent.versions.get(box)) for box in sent.texts}
        typed = {box: text for box, text in sent.texts.items() if text != bases[box]}
        try:
            outcome = await save_typed(visit, self._campaign_id, typed, bases, self._beside)
        except Conflict:
            await self._look(visit)
            raise
        kept = self._errors_besides(typed) if others_stay else {}
        self.errors, self._asked = kept | outcome.errors, ()
        detail = await self._look(visit)
        for box, text in outcome.left.items():
            self._given = self._given.give(box, self.values.get(box, ""), taken=text)
        clashes = [self._clash(box, theirs, typed[box]) for box, theirs in outcome.theirs.items()]
        self.clashes = [*self.clashes, *clashes]
        self.errors = self.errors | {each.box: f"Changed elsewhere to “{each.theirs}”." for each in clashes}
        return detail

    def _errors_besides(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Return the errors of settings that nothing was typed in."""
        names = set(map(setting_of, typed))
        return {path: text for path, text in self.errors.items() if setting_of(path) not in names}

    def _clash(self, box: str, theirs: str, typed: str) -> Clash:
        there, here = (self._spoken(box, text) or "nothing" for text in (theirs, typed))
        return Clash(box, label_of(box), there, here, typed)

    def _settle(self, box: str) -> None:
        """Forget that a box clashes."""
        self.clashes = [clash for clash in self.clashes if clash.box != box]
        self.errors = {path: text for path, text in self.errors.items() if path != box}

    def _ask(self, lacking: Mapping[str, str]) -> None:
        """Show what still has to be chosen, where nothing else is wrong with it."""
        self._asked = tuple(name for name in lacking if name not in self.errors)
        self.errors = {**lacking, **self.errors}

    def _way_on(self, visit: Visit, detail: CampaignDetail) -> EventSpec:
        following = after(self.STEP)
        if following is None or (
            following is WizardStep.REVIEW and detail.status is not CampaignStatus.DRAFT
        ):
            return rx.redirect(routes.campaign(visit.principal.organization_slug, detail.id))
        return rx.redirect(ADDRESSES[following](visit.principal.organization_slug, detail.id))

    def _is_shown(self) -> bool:
        return self.router.url.path.rstrip("/").endswith(f"/{self._campaign_id}/edit/{self.STEP}")

    async def _look(self, visit: Visit) -> CampaignDetail:
        """Read the campaign and show it; return it."""
        frame = await self.get_state(WizardState)
        detail = await self._prepare(visit, await frame._look(visit, self._campaign_id))  # noqa: SLF001 - ours
        texts = {
            box: text for box, text in texts_of(detail.settings).items() if setting_of(box) in self.SETTINGS
        }
        self._given = self._given.follow(texts)
        self.values = texts
        await self._show(visit, detail)
        return detail

    async def _prepare(self, visit: Visit, detail: CampaignDetail) -> CampaignDetail:
        """Change what a step chooses by itself when it is opened; return the campaign then."""
        del visit
        return detail

    def _beside(
        self, changes: Mapping[str, Any], settings: CampaignSettings, now: datetime
    ) -> dict[str, Any]:
        """Return the changes with what they bring with them."""
        del settings, now
        return dict(changes)

    def _lacking(self, detail: CampaignDetail) -> dict[str, str]:
        """Return what still has to be chosen before the next step: setting -> what to do."""
        del detail
        return {}

    def _spoken(self, box: str, text: str) -> str:
        """Return a box's text as the page shows it."""
        del box
        return text

    async def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        """Show what the page has of the campaign besides the boxes."""
        raise NotImplementedError
