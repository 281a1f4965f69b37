"""The page of an address that names no possible campaign."""

from typing import Final

import reflex as rx

from app.web import routes
from app.web.components import Crumb, empty_state, link_button, page_header, panel
from app.web.components.kinds import Child
from app.web.session import here

_NO_ID: Final = "[^0-9]|.{19}"
"""Matches all but up to eighteen digits. The empty text passes: it is empty until the page is connected."""


def at_a_campaign(*content: Child) -> rx.Component:
    """Return the content if the address holds a campaign's id; else the page "not found"."""
    return rx.fragment(rx.cond(_is_nowhere(), _page_not_found(), rx.fragment(*content)))


def _is_nowhere() -> rx.Var[bool]:
    campaign: rx.Var[str] = getattr(rx.State, routes.CAMPAIGN)
    return rx.Var(
        f"new RegExp({_NO_ID!r}).test({campaign!s} ?? '')",
        _var_type=bool,
        _var_data=campaign._get_all_var_data(),  # noqa: SLF001 - Reflex has no public way to test a pattern
    )


def _page_not_found() -> rx.Component:
    return rx.fragment(
        page_header("Page not found", breadcrumbs=[Crumb("Campaigns", routes.campaigns(here()))]),
        panel(
            empty_state(
                icon="map-pin-off",
                title="There is nothing at this address",
                sentence="It may have been mistyped, or moved.",
                action=link_button("All campaigns", href=routes.campaigns(here()), icon="arrow-left"),
            ),
            flush=True,
        ),
    )
