"""Reads the campaign's id from a page's address."""

import reflex as rx

from app.services.errors import NotFound
from app.web import routes


def campaign_here(state: rx.State) -> int:
    """Return the id in the address. It is not checked: look it up with the principal. Raises `NotFound`."""
    campaign_id = routes.place(state.router.url.path).campaign_id
    if campaign_id is None:
        raise NotFound("campaign", "at this address")
    return campaign_id
