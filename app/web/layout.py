"""The shell of every page: navigation, user and organization, and the marks that are always visible."""

from collections.abc import Callable
from functools import wraps
from typing import Final, Literal

import reflex as rx
from reflex.style import color_mode, set_color_mode

from app.web import routes
from app.web.components.bits import link_button
from app.web.components.feedback import simulated_mark, stop_indicator
from app.web.components.icons import glyph
from app.web.components.kinds import Child, Text, flag_word
from app.web.components.page import card_heading
from app.web.session import OrganizationLink, SessionState, here

_FOCUS_CONTENT: Final = rx.call_script("document.getElementById('main').focus()").prevent_default
Section = Literal["Campaigns", "Contacts", "Agents", "Numbers", "Settings"]
PageFunction = Callable[[], rx.Component]

_SECTIONS: Final[tuple[tuple[Section, str, Callable[[routes.Slug], str]], ...]] = (
    ("Campaigns", "megaphone", routes.campaigns),
    ("Contacts", "users", routes.contacts),
    ("Agents", "bot", routes.agents),
    ("Numbers", "phone", routes.numbers),
    ("Settings", "settings", routes.settings),
)


def shell(section: Section) -> Callable[[PageFunction], PageFunction]:
    """Wrap a page of an organization in the app shell, with `section` marked as the current one."""

    def wrap(page: PageFunction) -> PageFunction:
        @wraps(page)
        def shelled() -> rx.Component:
            return _frame(
                rx.cond(
                    SessionState.problem != "",
                    _bare_main(way_home("This page cannot be shown", SessionState.problem)),
                    rx.fragment(
                        _sidebar(section),
                        rx.el.div(
                            _top_bar(section),
                            stop_indicator(SessionState.dialing_stopped),
                            rx.el.main(page(), id="main", tab_index=-1, class_name="cs-main"),
                            class_name="cs-body",
                        ),
                    ),
                )
            )

        return shelled

    return wrap


def bare(page: PageFunction) -> PageFunction:
    """Wrap a page that belongs to no organization (set-up, sign-in): one card in the middle."""

    @wraps(page)
    def wrapped() -> rx.Component:
        return _frame(_bare_main(page()))

    return wrapped


def _bare_main(card: rx.Component) -> rx.Component:
    return rx.el.main(
        rx.el.div(wordmark(), class_name="cs-bare-brand"),
        rx.el.div(card, class_name="cs-bare-card"),
        id="main",
        tab_index=-1,
        class_name="cs-bare",
    )


def way_home(title: Text, sentence: Text) -> rx.Component:
    """Return a card that says why there is no page here, with a link home."""
    return rx.el.div(
        rx.el.div(glyph("map-pin-off", size=22), class_name="cs-empty-icon"),
        card_heading(title, sentence),
        link_button("Go to Callsheet", icon="house", href=routes.HOME, primary=True),
        role="alert",
        class_name="cs-card-stack",
    )


def wordmark() -> rx.Component:
    """Return the product's sign and name."""
    return rx.el.span(
        rx.el.img(src="/favicon.svg", alt="", width="24", height="24"),
        rx.el.span("Callsheet"),
        class_name="cs-wordmark",
    )


def hydrate_fallback() -> rx.Component:
    """Return the outline of the shell, which is shown until the program has loaded."""
    return rx.el.div(
        rx.el.div(
            rx.el.div(class_name="cs-sidebar", aria_hidden="true"),
            rx.el.div(
                rx.el.div(
                    rx.el.span("Loading", role="status", class_name="cs-hidden"),
                    rx.el.span(class_name="cs-skeleton cs-skeleton-title"),
                    rx.el.span(class_name="cs-skeleton cs-skeleton-block"),
                    class_name="cs-main cs-stack",
                ),
                class_name="cs-body",
            ),
            class_name="cs-frame",
        ),
        class_name="cs-app",
    )


def _frame(*children: Child) -> rx.Component:
    """Put the marks above `children`. `data-ready` is true when the page has been loaded."""
    return rx.el.div(
        # A client-side link would only scroll there, and not move the focus.
        rx.el.a("Skip to content", href="#main", on_click=_FOCUS_CONTENT, class_name="cs-skip"),
        simulated_mark(SessionState.simulated),
        rx.el.div(*children, class_name="cs-frame"),
        class_name="cs-app",
        data_ready=flag_word(rx.State.is_hydrated),
    )


def _sidebar(section: Section) -> rx.Component:
    return rx.el.aside(
        rx.el.div(wordmark(), class_name="cs-sidebar-brand"),
        _organization_switch(),
        _navigation(section),
        rx.el.div(_user_menu(), class_name="cs-sidebar-foot"),
        class_name="cs-sidebar",
    )


def _navigation(section: Section) -> rx.Component:
    return rx.el.nav(
        *[
            _navigation_link(label, icon, href(here()), is_current=label == section)
            for label, icon, href in _SECTIONS
        ],
        aria_label="Main",
        class_name="cs-nav",
    )


def _navigation_link(label: str, icon: str, href: Text, *, is_current: bool) -> rx.Component:
    return rx.link(
        glyph(icon, size=17),
        label,
        href=href,
        underline="none",
        class_name="cs-nav-link",
        aria_current="page" if is_current else "false",
    )


def _top_bar(section: Section) -> rx.Component:
    """Return the bar that replaces the sidebar on a phone: a menu button and the organization."""
    return rx.el.div(
        rx.dialog.root(
            rx.dialog.trigger(
                rx.icon_button(
                    glyph("menu", size=20),
                    variant="ghost",
                    color_scheme="gray",
                    aria_label="Open the menu",
                    type="button",
                ),
            ),
            rx.dialog.content(
                rx.dialog.title("Menu", class_name="cs-hidden"),
                rx.dialog.description("Pages of this organization", class_name="cs-hidden"),
                rx.el.div(
                    wordmark(),
                    rx.dialog.close(
                        rx.icon_button(
                            glyph("x", size=18),
                            variant="ghost",
                            color_scheme="gray",
                            aria_label="Close the menu",
                            type="button",
                        )
                    ),
                    class_name="cs-sheet-head",
                ),
                _organization_switch(),
                _navigation(section),
                rx.el.div(_user_menu(), class_name="cs-sidebar-foot"),
                class_name="cs-menu-sheet",
            ),
        ),
        wordmark(),
        rx.el.span(SessionState.organization_name, class_name="cs-topbar-organization"),
        class_name="cs-topbar",
    )


def _organization_switch() -> rx.Component:
    """Return the organization's name; for a user with several organizations, a menu to switch."""
    name = rx.fragment(
        rx.el.span(
            SessionState.organization_initial, class_name="cs-organization-initial", aria_hidden="true"
        ),
        rx.el.span(SessionState.organization_name, class_name="cs-organization-name"),
    )
    return rx.cond(
        SessionState.organizations.length() > 1,
        rx.dropdown_menu.root(
            rx.dropdown_menu.trigger(
                rx.el.button(
                    name,
                    glyph("chevrons-up-down", size=15),
                    type="button",
                    aria_label="Switch organization",
                    class_name="cs-organization",
                )
            ),
            rx.dropdown_menu.content(
                rx.el.div("Organizations", class_name="cs-menu-label"),
                rx.foreach(SessionState.organizations, _organization_item),
                variant="soft",
            ),
        ),
        rx.el.div(name, class_name="cs-organization"),
    )


def _organization_item(organization: rx.vars.ObjectVar[OrganizationLink]) -> rx.Component:
    return rx.dropdown_menu.item(
        rx.el.span(organization.name),
        on_select=rx.redirect(rx.Var.create(routes.campaigns(organization.slug))),
    )


def _user_menu() -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.el.button(
                rx.el.span(SessionState.user_initial, class_name="cs-avatar", aria_hidden="true"),
                rx.el.span(
                    rx.el.span(SessionState.user_name, class_name="cs-user-name"),
                    rx.el.span(SessionState.role, class_name="cs-user-role"),
                    class_name="cs-user-text",
                ),
                glyph("chevrons-up-down", size=15),
                type="button",
                aria_label="Your account",
                class_name="cs-user",
            )
        ),
        rx.dropdown_menu.content(
            rx.el.div(SessionState.user_email, class_name="cs-menu-label"),
            rx.dropdown_menu.separator(),
            rx.el.div("Appearance", class_name="cs-menu-label"),
            _mode_item("Light", "light", "sun"),
            _mode_item("Dark", "dark", "moon"),
            _mode_item("System", "system", "monitor"),
            rx.dropdown_menu.separator(),
            rx.dropdown_menu.item(glyph("log-out", size=15), "Sign out", on_select=SessionState.sign_out),
            variant="soft",
            class_name="cs-user-menu",
        ),
    )


def _mode_item(label: str, mode: Literal["light", "dark", "system"], icon: str) -> rx.Component:
    return rx.dropdown_menu.item(
        glyph(icon, size=15),
        label,
        rx.cond(color_mode == mode, glyph("check", size=15, class_name="cs-menu-check")),
        on_select=set_color_mode(mode),
    )
