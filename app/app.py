"""The web process: the browser UI, the API and the webhooks in one app on one port."""

import gc

import reflex as rx
from starlette.types import ASGIApp

from app.api.main import create_api
from app.api.middleware import with_middleware
from app.api.page_policy import pages_policy
from app.runtime.config import get_settings
from app.runtime.context import get_context
from app.runtime.logs import configure
from app.services.live_hub import live_hub
from app.web import layout, routes, theme
from app.web.connection import lost_connection
from app.web.guard import note_browser_error, tell_of
from app.web.imports.state import ImportState
from app.web.logs import keep_secrets_out, write_as_ours
from app.web.origins import RefuseForeignOrigins
from app.web.pages.agents.page import agents
from app.web.pages.agents.state import AgentsState
from app.web.pages.audiences.form_state import AudienceFormState
from app.web.pages.audiences.state import AudiencesState
from app.web.pages.campaign.calls.page import campaign_calls
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.contacts.page import campaign_contacts
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaign.overview.page import campaign_overview
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.settings.page import campaign_settings
from app.web.pages.campaign.settings.state import CampaignSettingsState
from app.web.pages.campaign.state import CAMPAIGN
from app.web.pages.campaigns.page import campaigns
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.contacts.bulk_history_state import BulkHistoryState
from app.web.pages.contacts.bulk_state import ContactBulkState
from app.web.pages.contacts.card_state import ContactCardState
from app.web.pages.contacts.page import contacts
from app.web.pages.contacts.person.page import contact
from app.web.pages.contacts.person.state import PersonPageState
from app.web.pages.contacts.state import ContactsState
from app.web.pages.home.page import home
from app.web.pages.home.state import HomeState
from app.web.pages.imports.details_state import ImportDetailsState
from app.web.pages.imports.new.page import new_import
from app.web.pages.imports.page import imports
from app.web.pages.imports.state import ImportsState
from app.web.pages.not_found.page import not_found
from app.web.pages.numbers.page import numbers
from app.web.pages.numbers.rests_state import NumberRestState
from app.web.pages.numbers.state import NumbersState
from app.web.pages.settings.keys_state import KeysState
from app.web.pages.settings.legal_state import BlackoutState, LegalHoursState
from app.web.pages.settings.page import settings
from app.web.pages.settings.state import SettingsState
from app.web.pages.setup.page import setup
from app.web.pages.setup.state import SetupState
from app.web.pages.sign_in.page import sign_in
from app.web.pages.sign_in.state import SignInState
from app.web.pages.suppressions.page import suppressions
from app.web.pages.suppressions.state import SuppressionsState
from app.web.pages.wizard.basics.page import basics
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.contacts.page import contacts as wizard_contacts
from app.web.pages.wizard.contacts.people_state import PeopleState
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.message.page import message
from app.web.pages.wizard.message.state import MessageState
from app.web.pages.wizard.pace.page import pace
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.review.page import review
from app.web.pages.wizard.review.state import ReviewState
from app.web.pages.wizard.state import WizardState
from app.web.session import ENTER
from app.web.sockets import LimitSockets
from app.web.tab_events import ForgetSignedOut, SkipReloadOnReconnect, event_handlers
from app.web.tabs import BindTabs, ReflexTabs
from app.web.uploads import GuardUploads

configure()
keep_secrets_out()

app = rx.App(
    stylesheets=theme.STYLESHEETS,
    head_components=theme.head(),
    html_lang="en",
    toaster=rx.toast.provider(position="bottom-right", rich_colors=True, close_button=True),
    # In place of Reflex's wrap of this name. An app without state has no connection.
    extra_app_wraps={(5, "Overlay"): lambda stateful: rx.fragment(lost_connection()) if stateful else None},
    hydrate_fallback=layout.hydrate_fallback,
    backend_exception_handler=tell_of,
    frontend_exception_handler=note_browser_error,
)
tabs = ReflexTabs(app)
app.api_transformer = [
    create_api(),
    lambda inner: GuardUploads(inner, tabs=tabs),
    lambda inner: LimitSockets(inner, quotas=lambda: get_context().quotas, handlers=event_handlers),
    lambda inner: BindTabs(inner, tabs=tabs),
    lambda inner: RefuseForeignOrigins(inner, public_url=get_settings().public_url),
]
app.add_middleware(ForgetSignedOut())
app.add_middleware(SkipReloadOnReconnect())
app.register_lifespan_task(live_hub)
# What was loaded so far stays: looking through it again and again holds every answer up.
app.register_lifespan_task(gc.freeze)

app.add_page(home, route=routes.HOME, title="Callsheet", on_load=HomeState.find_the_way)
app.add_page(home, route=routes.ORGANIZATION_HOME, title="Callsheet", on_load=HomeState.find_the_way)
app.add_page(not_found, route=routes.NOT_FOUND, title="Page not found · Callsheet", description="")
app.add_page(setup, route=routes.SETUP, title="Set up · Callsheet", on_load=SetupState.load)
app.add_page(sign_in, route=routes.SIGN_IN, title="Sign in · Callsheet", on_load=SignInState.load)
app.add_page(
    contacts,
    route=routes.CONTACTS,
    title="Contacts · Callsheet",
    on_load=[
        *ENTER,
        ContactCardState.reset_card,
        ContactBulkState.untick,
        ContactsState.load,
        BulkHistoryState.watch,
    ],
)
app.add_page(
    contact,
    route=routes.CONTACT,
    title="Contact · Callsheet",
    on_load=[*ENTER, ContactCardState.load, PersonPageState.load],
)
app.add_page(
    new_import,
    route=routes.CONTACTS_IMPORT,
    title="Import people · Callsheet",
    on_load=[*ENTER, ImportState.load, ImportState.watch],
)
app.add_page(
    imports,
    route=routes.IMPORTS,
    title="Imports · Callsheet",
    on_load=[*ENTER, ImportsState.load, ImportDetailsState.load, ImportsState.watch],
)
app.add_page(
    suppressions,
    route=routes.SUPPRESSIONS,
    title="Suppressed numbers · Callsheet",
    on_load=[*ENTER, SuppressionsState.load],
)
app.add_page(
    agents,
    route=routes.AGENTS,
    title="Agents · Callsheet",
    on_load=[*ENTER, AgentsState.load, AgentsState.watch],
)
app.add_page(
    numbers,
    route=routes.NUMBERS,
    title="Numbers · Callsheet",
    on_load=[*ENTER, NumberRestState.close(False), NumbersState.load, NumbersState.watch],
)
app.add_page(
    settings,
    route=routes.SETTINGS,
    title="Settings · Callsheet",
    on_load=[
        *ENTER,
        SettingsState.load,
        LegalHoursState.load,
        BlackoutState.load,
        KeysState.load,
        SettingsState.watch,
    ],
)
app.add_page(
    campaigns,
    route=routes.CAMPAIGNS,
    title="Campaigns · Callsheet",
    on_load=[*ENTER, CampaignsState.load, CampaignsState.watch],
)
app.add_page(
    basics,
    route=routes.EDIT_BASICS,
    title="Campaign basics · Callsheet",
    on_load=[*ENTER, BasicsState.load, BasicsState.follow],
)
app.add_page(
    message,
    route=routes.EDIT_MESSAGE,
    title="Campaign message · Callsheet",
    on_load=[*ENTER, MessageState.load, MessageState.follow],
)
app.add_page(
    campaign_overview,
    route=routes.CAMPAIGN_OVERVIEW,
    title="Campaign · Callsheet",
    on_load=[*ENTER, *CAMPAIGN, OverviewState.load, OverviewState.watch],
)
app.add_page(
    campaign_contacts,
    route=routes.CAMPAIGN_CONTACTS,
    title="Contacts of a campaign · Callsheet",
    on_load=[
        *ENTER,
        *CAMPAIGN,
        SelectionState.untick,
        AudienceFormState.close,
        AudiencesState.load,
        CampaignContactsState.load,
        CampaignContactsState.watch,
        AudiencesState.watch,
    ],
)
app.add_page(
    campaign_settings,
    route=routes.CAMPAIGN_SETTINGS,
    title="Settings of a campaign · Callsheet",
    on_load=[*ENTER, *CAMPAIGN, CampaignSettingsState.load, CampaignSettingsState.watch],
)
app.add_page(
    campaign_calls,
    route=routes.CAMPAIGN_CALLS,
    title="Call log · Callsheet",
    on_load=[*ENTER, *CAMPAIGN, CallLogState.load, CallLogState.watch],
)
app.add_page(
    pace,
    route=routes.EDIT_PACE,
    title="Campaign pace · Callsheet",
    on_load=[*ENTER, PaceState.load, PaceState.follow],
)
app.add_page(
    wizard_contacts,
    route=routes.EDIT_CONTACTS,
    title="Campaign contacts · Callsheet",
    on_load=[
        *ENTER,
        AudienceFormState.close,
        ContactsStepState.load,
        AudiencesState.load,
        PeopleState.load,
        ImportState.watch,
        WizardState.watch,
        AudiencesState.watch,
    ],
)
app.add_page(
    review,
    route=routes.EDIT_REVIEW,
    title="Review and start · Callsheet",
    on_load=[*ENTER, ReviewState.load, ReviewState.watch],
)


def served() -> ASGIApp:
    """Return what the ASGI server calls: the app as Reflex makes it, behind our middleware."""
    reflex = app()
    write_as_ours()
    return with_middleware(reflex, get_settings(), pages=pages_policy())
