"""Chooses who to add: everyone, a segment, a filter or another campaign's outcome; who to leave out; for how long."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

import reflex as rx
from reflex.event import EventCallback, EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.audience import AudienceMode
from app.domain.contact_filter import Condition, ContactFilter, Match, as_json
from app.domain.contact_filter_reading import read_filter
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.runtime.jobs import ADVANCE_AUDIENCE
from app.services.access.principal import Principal
from app.services.campaigns.audiences import (
    AudienceRule,
    AudienceView,
    add_audience,
    preview_audience,
    read_rule,
)
from app.services.campaigns.names import newest_campaigns
from app.services.errors import Conflict, FieldErrors
from app.services.segments.queries import segment_names
from app.web.campaign_here import campaign_here
from app.web.components import say_done
from app.web.forms import whole
from app.web.guard import FormState, anyone, guarded
from app.web.options import Option
from app.web.pages.audiences.presenter import OUTCOMES, preview_sentence
from app.web.pages.audiences.state import AudiencesState
from app.web.pages.contacts.filter_presenter import said
from app.web.pages.contacts.filter_state import ConditionForm
from app.web.pages.contacts.names_presenter import MOST_OFFERED, names_in
from app.web.visit import Visit

WAYS: Final = ("everyone", "segment", "filter", "outcome")

_CHOSEN: Final = frozenset({"whom", "segment_id", "campaign_id", "match", "days"})
_LONGEST: Final = 20
_TO_THE_FORM: Final = "setTimeout(() => document.querySelector('[name=audience_whom]')?.focus(), 120)"


class AudienceFormState(FormState, rx.State):
    """The choices so far, and how many people they would add."""

    is_open: rx.Field[bool] = rx.field(False)
    whom: rx.Field[str] = rx.field("")
    """One of `WAYS`; empty until it is chosen."""
    segments: rx.Field[list[Option]] = rx.field(default_factory=list)
    segment_id: rx.Field[str] = rx.field("")
    chips: rx.Field[list[str]] = rx.field(default_factory=list)
    """The conditions of the filter in words."""
    match: rx.Field[str] = rx.field(Match.ALL.value)
    campaigns: rx.Field[list[Option]] = rx.field(default_factory=list)
    """The organization's other campaigns."""
    campaign_id: rx.Field[str] = rx.field("")
    outcomes: rx.Field[list[str]] = rx.field(default_factory=list)
    days: rx.Field[str] = rx.field("")
    left_out: rx.Field[list[Option]] = rx.field(default_factory=list)
    """The campaigns whose people are left out."""
    mode: rx.Field[str] = rx.field(AudienceMode.SNAPSHOT.value)
    preview: rx.Field[str] = rx.field("")
    """How many would be added now, or what must still be chosen."""
    counting: rx.Field[bool] = rx.field(False)
    ready: rx.Field[bool] = rx.field(False)
    """Everything is chosen and counted."""
    adds_anybody: rx.Field[bool] = rx.field(False)
    would_add: rx.Field[str] = rx.field("people")
    """"25 people"; "people" until they are counted."""
    _rule: rx.Field[str] = rx.field("{}")
    """The conditions as JSON."""

    @guarded(Right.VIEW)
    async def open(self, visit: Visit) -> AsyncIterator[EventSpec | EventCallback[()]]:
        """Open the form with nothing chosen."""
        here = campaign_here(self)
        async with visit.reading() as session:
            segments = await segment_names(session, principal=visit.principal, most=MOST_OFFERED)
            campaigns = await newest_campaigns(session, principal=visit.principal, most=MOST_OFFERED)
        self.segments = [Option(str(each), name) for each, name in segments]
        self.campaigns = [Option(str(each), name) for each, name in campaigns if each != here]
        self.segment_id = self.segments[0].value if self.segments else ""
        self.campaign_id = self.campaigns[0].value if self.campaigns else ""
        self.whom, self.outcomes, self.left_out, self.days = "", [], [], ""
        self._set(ContactFilter(), [])
        self.mode, self.is_open = AudienceMode.SNAPSHOT.value, True
        yield self._changed()
        yield rx.call_script(_TO_THE_FORM)

    @anyone
    def close(self) -> None:
        """Close the form."""
        self.is_open, self.errors = False, {}

    @anyone
    def choose(self, name: str, value: str) -> EventCallback[()]:
        """Choose who to add, the segment, the campaign, the days, or how conditions are joined."""
        if name in _CHOSEN and (name != "whom" or value in WAYS):
            setattr(self, name, value[:_LONGEST])
        return self._changed()

    @anyone
    def tick_outcome(self, status: str) -> EventCallback[()]:
        """Tick or untick an outcome in the other campaign."""
        others = [each for each in self.outcomes if each != status]
        known = status in {each.value for each in OUTCOMES}
        self.outcomes = others if status in self.outcomes or not known else [*others, status]
        return self._changed()

    @anyone
    def drop_condition(self, place: int) -> EventCallback[()]:
        """Take one condition of the filter away."""
        wanted = self._filter()
        kept = tuple(one for at, one in enumerate(wanted.conditions) if at != place)
        self._set(
            replace(wanted, conditions=kept), [words for at, words in enumerate(self.chips) if at != place]
        )
        return self._changed()

    @anyone
    def leave_out(self, campaign_id: str) -> EventCallback[()]:
        """Leave out the people of a campaign; a second time undoes it."""
        kept = [each for each in self.left_out if each.value != campaign_id]
        added = [each for each in self.campaigns if each.value == campaign_id]
        self.left_out = kept if len(kept) < len(self.left_out) else [*kept, *added]
        return self._changed()

    @anyone
    def choose_mode(self, mode: str) -> None:
        """Choose between adding once and adding as long as the campaign runs."""
        self.mode = AudienceMode(mode).value if mode in set(AudienceMode) else self.mode

    @guarded(Right.VIEW, supersedes=True)
    async def count(self, visit: Visit) -> AsyncIterator[None]:
        """Say how many would be added."""
        self.errors, self.counting, self.ready = {}, True, False
        yield
        try:
            await self._count(visit)
        finally:
            self.counting = False

    @guarded(Right.EDIT_CAMPAIGNS)
    async def add(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Start adding them; a job continues in the background."""
        self.saving, self.errors = True, {}
        yield None
        if missing := self._missing():
            raise Conflict(missing)
        rules = await self.get_state(AudiencesState)
        mode = AudienceMode(self.mode) if rules.is_editable else AudienceMode.STANDING

        async def added(session: AsyncSession) -> AudienceView:
            return await add_audience(
                session,
                principal=visit.principal,
                campaign_ref=campaign_here(self),
                rule=await self._read_rule(session, visit.principal),
                mode=mode,
                now=visit.now,
            )

        view = await visit.write(added)
        await visit.hint(ADVANCE_AUDIENCE, view.id)
        self.is_open = False
        await rules._refresh(visit)  # noqa: SLF001 - a public method would be anybody's to call
        yield say_done(
            "Adding people who match" if mode is AudienceMode.STANDING else f"Adding {self.would_add}"
        )

    async def _count(self, visit: Visit) -> None:
        self.adds_anybody, self.would_add, self.preview = False, "people", ""
        if missing := self._missing():
            self.preview = missing
            return
        async with visit.reading() as session:
            preview = await preview_audience(
                session,
                principal=visit.principal,
                campaign_ref=campaign_here(self),
                rule=await self._read_rule(session, visit.principal),
                now=visit.now,
            )
        self.preview, self.ready = preview_sentence(preview), True
        self.adds_anybody = preview.would_add.count > 0
        self.would_add = f"{preview.would_add} {'person' if preview.would_add.count == 1 else 'people'}"

    def _missing(self) -> str:
        """Return what must still be chosen; empty if nothing."""
        match self.whom:
            case "":
                return "Choose who to add."
            case "segment" if not self.segment_id:
                return "There is no segment yet. Filter the address book and save the filter as a segment."
            case "filter" if not self.chips:
                return "Add at least one filter, or choose everyone."
            case "outcome" if not self.campaign_id:
                return "There is no other campaign yet."
            case "outcome" if not self.outcomes:
                return "Tick at least one outcome."
            case _:
                return ""

    async def _read_rule(self, session: AsyncSession, principal: Principal) -> AudienceRule:
        if self.days and whole(self.days) is None:
            raise FieldErrors({"not_contacted_for_days": "Use a whole number of days."})
        whom: dict[str, Any] = {"everyone": self.whom == "everyone"}
        if self.whom == "segment":
            whom = {"segment": self.segment_id}
        elif self.whom == "filter":
            whom = {"filter": json.loads(self._rule) | {"match": self.match}}
        elif self.whom == "outcome":
            values = [f"{self.campaign_id}:{RecipientStatus(each)}" for each in self.outcomes]
            whom = {"filter": {"conditions": [{"field": "campaign_status", "op": "any_of", "value": values}]}}
        return await read_rule(
            session,
            principal=principal,
            not_contacted_for_days=int(self.days or 0),
            not_in_campaigns=[each.value for each in self.left_out],
            zone=principal.time_zone,
            **whom,
        )

    def _filter(self) -> ContactFilter:
        return read_filter(json.loads(self._rule))

    def _set(self, wanted: ContactFilter, chips: list[str]) -> None:
        self._rule, self.chips = json.dumps(as_json(wanted)), chips

    def _changed(self) -> EventCallback[()]:
        """Mark the count as outdated, and count again."""
        self.counting, self.ready = True, False
        return AudienceFormState.count


class AudienceConditionState(ConditionForm, rx.State):
    """The dialog of one condition of the filter."""

    async def _take(self, visit: Visit, conditions: Sequence[Condition]) -> None:
        form = await self.get_state(AudienceFormState)
        wanted = form._filter()  # noqa: SLF001 - a public method would be anybody's to call
        asked = replace(wanted, conditions=(*wanted.conditions, *conditions), zone=visit.principal.time_zone)
        async with visit.reading() as session:
            names = await names_in(session, [asked], principal=visit.principal)
        form._set(asked, [said(one, names) for one in asked.conditions])  # noqa: SLF001
        await form._count(visit)  # noqa: SLF001
