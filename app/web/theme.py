"""The look: one Radix theme. All details are in `assets/app.css`, which uses the theme's tokens."""

import reflex as rx

STYLESHEETS = ["app.css", "campaigns.css", "wizard.css", "settings.css", "contacts.css"]


def radix_theme() -> rx.Component:
    """Return the theme every page is drawn with; light and dark follow the person's colour mode."""
    return rx.theme(
        accent_color="indigo",
        gray_color="slate",
        panel_background="solid",
        radius="large",
        scaling="100%",
    )


def head() -> list[rx.Component]:
    """Return the elements in every page's `<head>`: icon, font, theme color, and our own scripts."""
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(
            rel="preload",
            href="/fonts/inter-latin.woff2",
            custom_attrs={"as": "font"},
            type="font/woff2",
            cross_origin="anonymous",
        ),
        rx.el.meta(name="theme-color", content="#3e63dd"),
        rx.el.script(src="/tab.js"),  # before Reflex reads the tab's token
        rx.el.script(src="/lock.js", defer=True),
        rx.el.script(src="/focus.js", defer=True),
        rx.el.script(src="/errors.js", defer=True),
        rx.el.script(src="/editor.js", defer=True),
    ]
