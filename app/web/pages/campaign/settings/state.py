"""The Settings tab: every setting in words, with the ways to where they are changed."""

import reflex as rx

from app.domain.rights import Right
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.views import CampaignDetail
from app.services.live_hub import watch as watch_live
from app.web.campaign_here import campaign_here
from app.web.guard import PageState, guarded, still_allowed
from app.web.pages.campaign.settings.presenter import SettingsGroup, groups
from app.web.pages.campaign.state import live_snapshot
from app.web.visit import Visit


class CampaignSettingsState(PageState, rx.State):
    """The settings on show."""

    groups: rx.Field[list[SettingsGroup]] = rx.field(default_factory=list)
    locked: rx.Field[str] = rx.field("")
    """Why they cannot be changed now."""
    warnings: rx.Field[list[str]] = rx.field(default_factory=list)

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the settings."""
        self.loading, self.problem = True, ""
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

    def _show(self, visit: Visit, detail: CampaignDetail) -> None:
        self.groups = groups(detail, organization=visit.principal.organization_slug)
        self.locked = detail.locked_because or ""
        self.warnings = [*detail.unreadable.values(), *detail.number_warnings]


async def _read(visit: Visit, campaign_id: int) -> CampaignDetail:
    async with visit.reading() as session:
        return await get_campaign(session, principal=visit.principal, campaign_ref=campaign_id)
