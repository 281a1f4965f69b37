"""Starting, pausing, resuming and copying a campaign: for the list and for the campaign's own page."""

import reflex as rx
from reflex.event import EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.lifecycle import CarrierChanged, pause_campaign, resume_campaign, start_campaign
from app.services.campaigns.operations import duplicate_campaign
from app.services.campaigns.preflight import preflight
from app.services.campaigns.views import CampaignBrief
from app.web import routes
from app.web.components import say_done
from app.web.guard import PageState, anyone, guarded
from app.web.pages.campaign.start_presenter import StartQuestion, start_question
from app.web.visit import Visit


class CampaignActionsState(PageState, rx.State):
    """The action last asked for."""

    errors: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """Why a start was refused, by field path; a dialog shows it."""
    campaign_id: rx.Field[int] = rx.field(0)
    resuming: rx.Field[bool] = rx.field(False)
    """The action, start or resume, that waits until the carrier is confirmed."""
    carrier_question: rx.Field[str] = rx.field("")
    question: rx.Field[StartQuestion] = rx.field(default_factory=StartQuestion)
    """Asked before a start."""

    @guarded(Right.RUN_CAMPAIGNS)
    async def ask_start(self, visit: Visit, campaign_id: int) -> None:
        """Ask whether to start a draft, or say what is missing."""
        async with visit.reading() as session:
            detail = await get_campaign(session, principal=visit.principal, campaign_ref=campaign_id)
            check = await preflight(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                now=visit.now,
                carrier=visit.carrier(),
            )
        self.campaign_id, self.errors = campaign_id, check.errors
        self.question = StartQuestion() if check.errors else start_question(detail, check)

    @guarded(Right.RUN_CAMPAIGNS)
    async def start(self, visit: Visit, campaign_id: int) -> EventSpec | None:
        """Start a draft, or say what is missing."""
        self.campaign_id, self.resuming, self.errors = campaign_id, False, {}
        self.question = StartQuestion()
        return await self._go(visit, confirmed=False)

    @guarded(Right.RUN_CAMPAIGNS)
    async def resume(self, visit: Visit, campaign_id: int) -> EventSpec | None:
        """Resume a paused or failed campaign."""
        self.campaign_id, self.resuming, self.errors = campaign_id, True, {}
        return await self._go(visit, confirmed=False)

    @guarded(Right.RUN_CAMPAIGNS)
    async def confirm_carrier(self, visit: Visit) -> EventSpec | None:
        """Start or resume on the carrier that is configured now."""
        self.carrier_question = ""
        return await self._go(visit, confirmed=True)

    @guarded(Right.RUN_CAMPAIGNS)
    async def pause(self, visit: Visit, campaign_id: int) -> EventSpec:
        """Pause: place no more calls or texts."""
        await visit.write(
            lambda session: pause_campaign(
                session, principal=visit.principal, campaign_ref=campaign_id, now=visit.now
            )
        )
        return say_done("Campaign paused. Calls in progress are not cut off.")

    @guarded(Right.EDIT_CAMPAIGNS)
    async def duplicate(self, visit: Visit, campaign_id: int) -> list[EventSpec]:
        """Copy settings and contacts into a new draft, and go there."""
        copy = await visit.write(
            lambda session: duplicate_campaign(
                session, principal=visit.principal, campaign_ref=campaign_id, now=visit.now
            )
        )
        there = rx.redirect(routes.campaign(visit.principal.organization_slug, copy))
        return [say_done("Copied with settings and contacts. This is the copy."), there]

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Close the dialogs."""
        if not is_open:
            self.errors, self.carrier_question, self.question = {}, "", StartQuestion()

    async def _go(self, visit: Visit, *, confirmed: bool) -> EventSpec | None:
        act = resume_campaign if self.resuming else start_campaign
        check = await visit.ask_carrier(self.campaign_id)

        async def acted(session: AsyncSession) -> CampaignBrief:
            await act(
                session,
                principal=visit.principal,
                campaign_ref=self.campaign_id,
                now=visit.now,
                carrier=visit.carrier(),
                check=check,
                confirm_carrier=confirmed,
            )
            return await campaign_brief(session, principal=visit.principal, campaign_ref=self.campaign_id)

        try:
            campaign = await visit.write(acted)
        except CarrierChanged as question:
            self.carrier_question = str(question)
            return None
        return say_done("Campaign scheduled." if campaign.status == "scheduled" else "Campaign started.")
