"""The contact whose sheet is open: its variables, its attempts, and why it was contacted or not."""

import reflex as rx

from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import get_recipient
from app.web.campaign_here import campaign_here
from app.web.guard import PageState, anyone, guarded
from app.web.pages.campaign.contacts.presenter import PersonDetail, person_detail
from app.web.visit import Visit


class PersonState(PageState, rx.State):
    """The contact whose sheet is open."""

    is_open: rx.Field[bool] = rx.field(False)
    detail: rx.Field[PersonDetail] = rx.field(default_factory=PersonDetail)

    @guarded(Right.VIEW)
    async def show(self, visit: Visit, recipient_id: int) -> None:
        """Open the sheet of a contact of this campaign."""
        campaign_id = campaign_here(self)
        async with visit.reading() as session:
            campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
            found = await get_recipient(
                session, principal=visit.principal, campaign_ref=campaign_id, recipient_id=recipient_id
            )
        self.detail = person_detail(found, zone=campaign.time_zone, now=visit.now)
        self.is_open = True

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open and self.is_open
