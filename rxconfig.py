"""Reflex's configuration; everything else is read from `app.runtime.config`."""

import reflex as rx

from app.runtime.config import get_settings
from app.web.theme import radix_theme

_settings = get_settings()

config = rx.Config(
    app_name="app",
    api_url=_settings.public_url,
    deploy_url=_settings.public_url,
    # Pages ask where they came from; who opens the socket is `app.web.origins`' to check.
    cors_allowed_origins=(),
    default_color_mode="system",
    plugins=[rx.plugins.RadixThemesPlugin(theme=radix_theme())],
    disable_plugins=[rx.plugins.SitemapPlugin],
    show_built_with_reflex=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
)
