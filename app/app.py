"""The web process: the browser UI, the API and the webhooks in one app on one port."""

import reflex as rx

from app.api.main import create_api
from app.live_hub import live_hub
from app.web import layout, routes, theme
from app.web.guard import tell_of
from app.web.pages.campaigns.page import campaigns
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.home.page import home
from app.web.pages.home.state import HomeState
from app.web.session import ENTER
from app.web.uploads import GuardUploads

app = rx.App(
    stylesheets=theme.STYLESHEETS,
    head_components=theme.head(),
    html_lang="en",
    toaster=rx.toast.provider(position="bottom-right", rich_colors=True, close_button=True),
    hydrate_fallback=layout.hydrate_fallback,
    backend_exception_handler=tell_of,
    api_transformer=[create_api(), GuardUploads],
)
app.register_lifespan_task(live_hub)

app.add_page(home, route=routes.HOME, title="Callsheet", on_load=HomeState.find_the_way)
app.add_page(home, route=routes.ORGANIZATION_HOME, title="Callsheet", on_load=HomeState.find_the_way)
app.add_page(
    campaigns,
    route=routes.CAMPAIGNS,
    title="Campaigns · Callsheet",
    on_load=[*ENTER, CampaignsState.load, CampaignsState.watch],
)
