"""The questions before a campaign is cancelled, deleted or retried."""

from dataclasses import dataclass, replace

import reflex as rx
from reflex.event import EventSpec

from app.domain.campaign import Channel
from app.domain.recipient import RETRY_FAILED_DEFAULT, RecipientStatus
from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.lifecycle import CarrierChanged, cancel_campaign, retry_failed
from app.services.campaigns.operations import delete_campaign
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.views import CampaignSnapshot
from app.services.errors import Conflict
from app.web import routes
from app.web.components import say_done
from app.web.guard import PageState, anyone, guarded
from app.web.recipient_words import STATUS_WORDS
from app.web.visit import Visit
from app.web.words import counted


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome that can be retried, and whether it is ticked."""

    status: str
    label: str
    count: int
    text: str
    ticked: bool


class CampaignQuestionState(PageState, rx.State):
    """The question that is open, and about which campaign."""

    asking: rx.Field[str] = rx.field("")
    """"cancel", "delete" or "retry"; empty: nothing is asked."""
    campaign_id: rx.Field[int] = rx.field(0)
    campaign_name: rx.Field[str] = rx.field("")
    sentence: rx.Field[str] = rx.field("")
    calls: rx.Field[str] = rx.field("")
    """How many calls a cancel could hang up; empty if none."""
    hang_up: rx.Field[bool] = rx.field(False)
    outcomes: rx.Field[list[Outcome]] = rx.field(default_factory=list)
    retry_label: rx.Field[str] = rx.field("Retry")
    """The button's text, with the number of ticked contacts."""
    carrier_question: rx.Field[str] = rx.field("")
    """The question if the retry would use another carrier; else empty."""

    @guarded(Right.VIEW)
    async def ask(self, visit: Visit, asking: str, campaign_id: int) -> None:
        """Open a question that says what the answer would do now."""
        now = visit.now
        async with visit.reading() as session:
            campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
            snapshot = await campaign_snapshot(
                session, organization_id=visit.principal.organization_id, campaign_id=campaign.id, now=now
            )
        self.campaign_id, self.campaign_name = campaign.id, campaign.name
        self.sentence = _what_cancelling_means(snapshot) if asking == "cancel" else ""
        self._offer([_outcome(status, snapshot) for status in STATUS_WORDS if status in RETRY_FAILED_DEFAULT])
        live = 0 if campaign.channel is Channel.SMS else snapshot.live_calls
        self.calls, self.hang_up = counted(live, "call", "calls") if live else "", False
        self.asking, self.carrier_question = asking, ""

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Close the question."""
        if not is_open:
            self.asking, self.carrier_question = "", ""

    @anyone
    def tick(self, status: str) -> None:
        """Tick or untick an outcome."""
        self._offer([replace(one, ticked=one.ticked != (one.status == status)) for one in self.outcomes])

    @anyone
    def tick_hang_up(self) -> None:
        """Tick or untick that calls are hung up."""
        self.hang_up = not self.hang_up

    @guarded(Right.EDIT_CAMPAIGNS)
    async def cancel(self, visit: Visit) -> EventSpec:
        """End the campaign for good."""
        now = visit.now
        await visit.write(
            lambda session: cancel_campaign(
                session,
                principal=visit.principal,
                campaign_ref=self.campaign_id,
                hang_up=self.hang_up,
                now=now,
            )
        )
        self.asking = ""
        return say_done(
            "Campaign cancelled. Its calls are hung up." if self.hang_up else "Campaign cancelled."
        )

    @guarded(Right.EDIT_CAMPAIGNS)
    async def delete(self, visit: Visit) -> list[EventSpec]:
        """Delete the draft; from its own page, go to the list."""
        now = visit.now
        await visit.write(
            lambda session: delete_campaign(
                session, principal=visit.principal, campaign_ref=self.campaign_id, now=now
            )
        )
        self.asking = ""
        done = say_done("Draft deleted. Its contacts stay in your address book.")
        if routes.place(self.router.url.path).campaign_id is None:
            return [done]
        return [done, rx.redirect(routes.campaigns(visit.principal.organization_slug))]

    @guarded(Right.RUN_CAMPAIGNS)
    async def retry(self, visit: Visit) -> EventSpec | None:
        """Retry the contacts whose outcome is ticked."""
        return await self._retry(visit, confirmed=False)

    @guarded(Right.RUN_CAMPAIGNS)
    async def confirm_carrier(self, visit: Visit) -> EventSpec | None:
        """Retry them on the carrier that is configured now."""
        return await self._retry(visit, confirmed=True)

    async def _retry(self, visit: Visit, *, confirmed: bool) -> EventSpec | None:
        ticked = frozenset(RecipientStatus(one.status) for one in self.outcomes if one.ticked)
        if not ticked:
            raise Conflict("Tick at least one outcome.")
        check = await visit.ask_carrier(self.campaign_id)
        try:
            retried = await visit.write(
                lambda session: retry_failed(
                    session,
                    principal=visit.principal,
                    campaign_ref=self.campaign_id,
                    now=visit.now,
                    statuses=ticked,
                    carrier=visit.carrier(),
                    check=check,
                    confirm_carrier=confirmed,
                )
            )
        except CarrierChanged as question:
            self.carrier_question = str(question)
            return None
        self.asking, self.carrier_question = "", ""
        return say_done(f"{counted(retried, 'contact', 'contacts')} queued for retry.")

    def _offer(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        ticked = sum(one.count for one in outcomes if one.ticked)
        self.retry_label = f"Retry {counted(ticked, 'contact', 'contacts')}"


def _outcome(status: RecipientStatus, snapshot: CampaignSnapshot) -> Outcome:
    count = snapshot.counts[status]
    return Outcome(
        status=status.value,
        label=STATUS_WORDS[status],
        count=count,
        text=counted(count, "contact", "contacts"),
        ticked=count > 0,
    )


def _what_cancelling_means(snapshot: CampaignSnapshot) -> str:
    waiting = snapshot.counts[RecipientStatus.PENDING]
    parts = [f"{counted(waiting, 'contact who waits', 'contacts who wait')} will not be contacted."]
    if snapshot.live_calls:
        under_way = counted(snapshot.live_calls, "call or text", "calls or texts")
        parts.append(f"{under_way} in progress will go on to the end and be recorded, unless hung up.")
    parts.append("This cannot be undone, but you can duplicate the campaign.")
    return " ".join(parts)
