"""Retries, skips or removes contacts of a campaign: one, the ticked ones, or all that match."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.campaigns.lifecycle import CarrierChanged
from app.services.campaigns.recipients import remove_recipients, retry_recipients, skip_recipients
from app.services.campaigns.views import BulkResult
from app.services.errors import Conflict
from app.web.campaign_here import campaign_here
from app.web.components import say, say_done
from app.web.guard import anyone, guarded
from app.web.listing import number_in
from app.web.pages.campaign.contacts.presenter import bulk_sentence
from app.web.pages.campaign.contacts.state import CampaignContactsState, skipped_ahead
from app.web.pages.campaign.state import CampaignState
from app.web.row_selection import Ticking
from app.web.visit import Visit

_OPERATIONS: Final[Mapping[str, Callable[..., Awaitable[BulkResult]]]] = {
    "retry": retry_recipients,
    "skip": skip_recipients,
    "remove": remove_recipients,
}


class SelectionState(Ticking, rx.State):
    """Which contacts are ticked, and what is asked about them: "retry", "skip" or "remove"."""

    single: rx.Field[int] = rx.field(0)
    """The one contact in question; 0: the ticked ones."""
    carrier_question: rx.Field[str] = rx.field("")
    """The question if a completed campaign would run again on another carrier; else empty."""

    @anyone
    def ask(self, action: str, recipient_id: int) -> None:
        """Ask before an action on one contact, or on the ticked ones (0)."""
        self.asking, self.single = action if action in _OPERATIONS else "", recipient_id
        self.carrier_question = ""

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Close the question."""
        if not is_open:
            self.asking, self.carrier_question = "", ""

    @guarded(Right.RUN_CAMPAIGNS)
    async def do(self, visit: Visit, action: str, recipient_id: int) -> EventSpec | None:
        """Do it to one contact."""
        try:
            return await self._do(visit, action, {"recipient_ids": [recipient_id]}, confirmed=False)
        except CarrierChanged as question:
            self.asking, self.single, self.carrier_question = action, recipient_id, str(question)
            return None

    @guarded(Right.RUN_CAMPAIGNS)
    async def confirm(self, visit: Visit) -> EventSpec | None:
        """Do what was asked about."""
        try:
            return await self._do(visit, self.asking, await self._whom(visit), confirmed=False)
        except CarrierChanged as question:
            self.carrier_question = str(question)
            return None

    @guarded(Right.RUN_CAMPAIGNS)
    async def skip_instead(self, visit: Visit) -> EventSpec | None:
        """Skip the contacts, because a rule would add them again."""
        self.asking = "skip"
        return await self._do(visit, "skip", await self._whom(visit), confirmed=False)

    @guarded(Right.RUN_CAMPAIGNS)
    async def confirm_carrier(self, visit: Visit) -> EventSpec:
        """Do it on the carrier that is configured now."""
        return await self._do(visit, self.asking, await self._whom(visit), confirmed=True)

    async def _on_page(self) -> list[int]:
        return [one.id for one in (await self.get_state(CampaignContactsState)).rows]

    async def _whom(self, visit: Visit) -> Mapping[str, Any]:
        if self.single:
            return {"recipient_ids": [self.single]}
        if not self.all_matching:
            return {"recipient_ids": self.ids}
        query = (await self.get_state(CampaignContactsState)).query
        async with visit.reading() as session:
            why = await skipped_ahead(session, visit, campaign_here(self), query)
        chosen = None if why is None else list(why)
        because = query.because(visit.now)
        everyone = chosen is None and not query.statuses and not query.search.strip() and because is None
        return {
            "recipient_ids": chosen,
            "statuses": query.statuses,
            "search": query.search,
            "because": because,
            "everyone": everyone,
        }

    async def _do(self, visit: Visit, action: str, whom: Mapping[str, Any], *, confirmed: bool) -> EventSpec:
        if action not in _OPERATIONS:
            raise Conflict("Choose what to do.")
        contacts = await self.get_state(CampaignContactsState)
        shown = number_in(contacts.query.run) or number_in((await self.get_state(CampaignState)).run)
        where: dict[str, Any] = {"run": shown}
        if action == "retry":
            check = await visit.ask_carrier(campaign_here(self))
            where |= {"carrier": visit.carrier(), "check": check, "confirm_carrier": confirmed}
        elif action == "remove" and self.all_matching and not self.single:
            where |= {"expected": contacts.total}
        result = await visit.write(
            lambda session: _OPERATIONS[action](
                session,
                principal=visit.principal,
                campaign_ref=campaign_here(self),
                now=visit.now,
                **whom,
                **where,
            )
        )
        self.ids, self.all_matching, self.single = [], False, 0
        self.asking, self.carrier_question = "", ""
        await contacts._refresh(visit)  # noqa: SLF001 - a public method would be anybody's to call
        sentence = bulk_sentence(action, result)
        return say_done(sentence) if result.done else say(sentence)
