"""The rules that add people to the campaign in the address, kept live; one can be ended."""

from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from app.domain.campaign import EDITABLE, CampaignStatus
from app.domain.contact_filter_reading import read_filter
from app.domain.rights import Right
from app.services.campaigns.audiences import OVER, AudienceView, end_audience, list_audiences
from app.services.campaigns.brief import campaign_brief
from app.services.live_hub import Watched
from app.services.live_hub import watch as watch_live
from app.web.campaign_here import campaign_here
from app.web.components import say_done
from app.web.guard import PageState, guarded, still_allowed
from app.web.pages.audiences.presenter import RuleLine, rule_line
from app.web.pages.contacts.names_presenter import Names, names_in
from app.web.visit import Visit


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a campaign: the same for everybody who watches."""

    views: tuple[AudienceView, ...]
    names: Names
    status: CampaignStatus


class AudiencesState(PageState, rx.State):
    """The rules, and what may be added now."""

    lines: rx.Field[list[RuleLine]] = rx.field(default_factory=list)
    keeps_adding: rx.Field[bool] = rx.field(False)
    """A rule keeps adding people who match."""
    status: rx.Field[str] = rx.field("")
    """The campaign's."""
    is_editable: rx.Field[bool] = rx.field(False)
    """People can be added once: the campaign is a draft, paused or failed."""
    is_over: rx.Field[bool] = rx.field(True)
    """The campaign is over: nobody can be added."""
    asked: rx.Field[int] = rx.field(0)
    """The rule in the question whether to end it; 0: none."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the rules of this campaign."""
        self.lines, self.keeps_adding, self.is_over, self.asked, self.problem = [], False, True, 0, ""
        await self._refresh(visit)

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Follow the progress of the rules."""
        campaign_id = campaign_here(self)
        watched = Watched(visit.principal.organization_id, campaign_id, "audiences")
        check = still_allowed(self, Right.VIEW)
        async for rules in watch_live(watched, lambda: _read(visit, campaign_id), check=check):
            async with self:
                self._show(visit, rules)

    @guarded(Right.VIEW)
    async def ask(self, visit: Visit, audience_id: int) -> None:
        """Ask whether to end a rule; 0 puts the question away."""
        del visit
        self.asked = audience_id

    @guarded(Right.EDIT_CAMPAIGNS)
    async def end(self, visit: Visit) -> EventSpec:
        """End the rule in question: it adds no more people."""
        self.saving = True
        audience_id, self.asked = self.asked, 0
        await visit.write(
            lambda session: end_audience(
                session,
                principal=visit.principal,
                campaign_ref=campaign_here(self),
                audience_id=audience_id,
                now=visit.now,
            )
        )
        await self._refresh(visit)
        return say_done("The rule has ended")

    async def _refresh(self, visit: Visit) -> None:
        self._show(visit, await _read(visit, campaign_here(self)))

    def _show(self, visit: Visit, rules: _Rules) -> None:
        zone, now = visit.principal.time_zone, visit.now
        self.lines = [rule_line(view, rules.names, rules.status, zone=zone, now=now) for view in rules.views]
        self.keeps_adding = any(line.keeps_adding and line.is_unfinished for line in self.lines)
        self.status = rules.status.value
        self.is_editable, self.is_over = rules.status in EDITABLE, rules.status in OVER


async def _read(visit: Visit, campaign_id: int) -> _Rules:
    async with visit.reading() as session:
        campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
        views = tuple(await list_audiences(session, principal=visit.principal, campaign_ref=campaign_id))
        names = await names_in(
            session,
            [read_filter(view.rule) for view in views],
            principal=visit.principal,
            campaigns=[each for view in views for each in view.not_in_campaigns],
        )
    return _Rules(views, names, campaign.status)
