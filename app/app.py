"""The web process: the browser UI, the API and the webhooks in one app on one port."""

import reflex as rx

from app.api.main import create_api
from app.live_hub import live_hub
from app.web import layout, routes, theme
from app.web.guard import tell_of
from app.web.pages.agents.page import agents
from app.web.pages.agents.state import AgentsState
from app.web.pages.campaigns.page import campaigns
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.contacts.card import ContactCardState
from app.web.pages.contacts.page import contacts
from app.web.pages.contacts.state import ContactsState
from app.web.pages.home.page import home
from app.web.pages.home.state import HomeState
from app.web.pages.numbers.page import numbers
from app.web.pages.numbers.state import NumbersState
from app.web.pages.settings.keys import KeysState
from app.web.pages.settings.page import settings
from app.web.pages.settings.state import SettingsState
from app.web.pages.setup.page import setup
from app.web.pages.setup.state import SetupState
from app.web.pages.sign_in.page import sign_in
from app.web.pages.sign_in.state import SignInState
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
app.add_page(setup, route=routes.SETUP, title="Set up · Callsheet", on_load=SetupState.load)
app.add_page(sign_in, route=routes.SIGN_IN, title="Sign in · Callsheet", on_load=SignInState.load)
app.add_page(
    contacts,
    route=routes.CONTACTS,
    title="Contacts · Callsheet",
    on_load=[*ENTER, ContactCardState.reset_card, ContactsState.load],
)
app.add_page(
    agents,
    route=routes.AGENTS,
    title="Agents · Callsheet",
    on_load=[*ENTER, AgentsState.load, AgentsState.watch],
)
app.add_page(numbers, route=routes.NUMBERS, title="Numbers · Callsheet", on_load=[*ENTER, NumbersState.load])
app.add_page(
    settings,
    route=routes.SETTINGS,
    title="Settings · Callsheet",
    on_load=[*ENTER, SettingsState.load, KeysState.load, SettingsState.watch],
)
app.add_page(
    campaigns,
    route=routes.CAMPAIGNS,
    title="Campaigns · Callsheet",
    on_load=[*ENTER, CampaignsState.load, CampaignsState.watch],
)
