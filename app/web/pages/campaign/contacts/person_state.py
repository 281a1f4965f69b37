"""The contact whose sheet is open: its variables, its attempts, and why it was contacted or not."""

import reflex as rx

from app.domain.rights import Right
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.call_log import get_recipient
from app.services.contacts.queries import get_contact
from app.services.dialing.explain import explain
from app.web.campaign_here import campaign_here
from app.web.guard import PageState, anyone, guarded
from app.web.pages.campaign.contacts.presenter import PersonDetail, person_detail
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.contacts.presenter import hold_sentence
from app.web.visit import Visit


class PersonState(PageState, rx.State):
    """The contact whose sheet is open."""

    is_open: rx.Field[bool] = rx.field(False)
    detail: rx.Field[PersonDetail] = rx.field(default_factory=PersonDetail)

    @guarded(Right.VIEW)
    async def show(self, visit: Visit, recipient_id: int) -> None:
        """Open the sheet of a contact of this campaign."""
        await self._read(visit, recipient_id)
        self.is_open = True

    @guarded(Right.VIEW)
    async def read_again(self, visit: Visit) -> None:
        """Show the contact, and the list, as they are by now."""
        if self.is_open and self.detail.person.id:
            await self._read(visit, self.detail.person.id)
        contacts = await self.get_state(CampaignContactsState)
        await contacts._refresh(visit)  # noqa: SLF001 - a public method would be anybody's to call

    async def _read(self, visit: Visit, recipient_id: int) -> None:
        campaign_id = campaign_here(self)
        async with visit.reading() as session:
            campaign = await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)
            found = await get_recipient(
                session, principal=visit.principal, campaign_ref=campaign_id, recipient_id=recipient_id
            )
            said = await explain(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                recipient_ids=[recipient_id],
                now=visit.now,
            )
            card = await get_contact(session, principal=visit.principal, contact_id=found.row.contact_id)
        now = visit.now
        self.detail = person_detail(
            found,
            said.get(recipient_id),
            hold=hold_sentence(card, zone=visit.principal.time_zone, now=now),
            zone=campaign.time_zone,
            now=now,
        )

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the sheet tells
        """Close the sheet."""
        self.is_open = is_open and self.is_open
