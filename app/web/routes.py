"""All addresses of the browser UI: the patterns for Reflex, and functions that make links.

The functions take the organization's slug and ids as plain values (in handlers) or as Vars (in components).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl

import reflex as rx

from app.domain.text import storable

Slug = str | rx.Var[str]
Id = int | str | rx.Var[int] | rx.Var[str]

# Route parameters. Reflex requires the same name at the same place in every pattern.
ORGANIZATION: Final = "org"
CAMPAIGN: Final = "campaign_id"

HOME: Final = "/"
SETUP: Final = "/setup"
SIGN_IN: Final = "/sign-in"

NOT_FOUND: Final = "404"
"""Reflex's name for all addresses without a page."""

ORGANIZATION_HOME: Final = "/[org]"
CAMPAIGNS: Final = "/[org]/campaigns"
CAMPAIGN_OVERVIEW: Final = "/[org]/campaigns/[campaign_id]"
CAMPAIGN_CONTACTS: Final = "/[org]/campaigns/[campaign_id]/contacts"
CAMPAIGN_SETTINGS: Final = "/[org]/campaigns/[campaign_id]/settings"
CAMPAIGN_CALLS: Final = "/[org]/campaigns/[campaign_id]/calls"
EDIT_BASICS: Final = "/[org]/campaigns/[campaign_id]/edit/basics"
EDIT_MESSAGE: Final = "/[org]/campaigns/[campaign_id]/edit/message"
EDIT_CONTACTS: Final = "/[org]/campaigns/[campaign_id]/edit/contacts"
EDIT_PACE: Final = "/[org]/campaigns/[campaign_id]/edit/pace"
EDIT_REVIEW: Final = "/[org]/campaigns/[campaign_id]/edit/review"
CONTACTS: Final = "/[org]/contacts"
CONTACTS_IMPORT: Final = "/[org]/contacts/import"
CONTACT: Final = "/[org]/contacts/[contact_id]"
IMPORTS: Final = "/[org]/imports"
SUPPRESSIONS: Final = "/[org]/suppressions"
AGENTS: Final = "/[org]/agents"
NUMBERS: Final = "/[org]/numbers"
SETTINGS: Final = "/[org]/settings"

# HTTP routes of the backend. They need a real page load; `rx.redirect` does not reach them.
AUTH_COMPLETE: Final = "/auth/complete"
AUTH_SIGN_OUT: Final = "/auth/sign-out"

DOWNLOAD: Final = "/download"

_CAMPAIGN_ID = re.compile(r"[0-9]{1,18}")
"""A number of 18 digits always fits the database's bigint."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The organization and the campaign in an address. The browser sends them, so they must be checked."""

    organization: str
    campaign_id: int | None


def place(path: str) -> PageAddress:
    """Read the organization's slug and the campaign's id from the path of an address."""
    parts = [part for part in storable(path).split("/") if part]
    match parts:
        case [organization, "campaigns", campaign_id, *_] if _CAMPAIGN_ID.fullmatch(campaign_id):
            return PageAddress(organization, int(campaign_id))
        case _:
            return PageAddress(parts[0] if parts else "", None)


def asked(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query of an address, without characters that cannot be stored."""
    return {name: storable(value) for name, value in query.items()}


def asked_pairs(query: str) -> list[tuple[str, str]]:
    """Return all that an address asks for behind its `?`, in order: a name may come again, a value may be empty."""
    return [(storable(name), storable(value)) for name, value in parse_qsl(query, keep_blank_values=True)]


def contact_id(path: str) -> int:
    """Read the contact's id from the path of a person's page; 0 for none."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case [_, "contacts", found, *_] if _CAMPAIGN_ID.fullmatch(found):
            return int(found)
        case _:
            return 0


def campaigns(organization: Slug) -> str:
    """Return the address of the campaign list."""
    return f"/{organization}/campaigns"


def campaign(organization: Slug, campaign_id: Id) -> str:
    """Return the address of a campaign's Overview tab."""
    return f"/{organization}/campaigns/{campaign_id}"


def campaign_contacts(organization: Slug, campaign_id: Id) -> str:
    """Return the address of a campaign's Contacts tab."""
    return f"/{organization}/campaigns/{campaign_id}/contacts"


def campaign_settings(organization: Slug, campaign_id: Id) -> str:
    """Return the address of a campaign's Settings tab."""
    return f"/{organization}/campaigns/{campaign_id}/settings"


def campaign_calls(organization: Slug, campaign_id: Id) -> str:
    """Return the address of a campaign's Call log tab."""
    return f"/{organization}/campaigns/{campaign_id}/calls"


def download_of_campaign(organization: Slug, campaign_id: Id, content: Literal["contacts", "calls"]) -> str:
    """Return the address of a campaign's contacts or call log as CSV; the tab's filters may follow."""
    return f"{DOWNLOAD}/{organization}/campaigns/{campaign_id}/{content}.csv"


def download_not_imported(organization: Slug, import_id: Id) -> str:
    """Return the address of the rows of a file that were not imported, as CSV."""
    return f"{DOWNLOAD}/{organization}/imports/{import_id}/not-imported.csv"


def edit_step(organization: Slug, campaign_id: Id, step: str = "basics") -> str:
    """Return the address of a step of the wizard; `step` is the last part of one of the patterns `EDIT_…`."""
    return f"/{organization}/campaigns/{campaign_id}/edit/{step}"


def contacts(organization: Slug) -> str:
    """Return the address of the address book."""
    return f"/{organization}/contacts"


def contacts_import(organization: Slug) -> str:
    """Return the address of the page that imports contacts into the address book."""
    return f"/{organization}/contacts/import"


def contact(organization: Slug, contact_id: Id) -> str:
    """Return the address of a person's page."""
    return f"/{organization}/contacts/{contact_id}"


def imports(organization: Slug) -> str:
    """Return the address of the history of imports."""
    return f"/{organization}/imports"


def import_sheet(organization: Slug, import_id: Id) -> str:
    """Return the address of the history of imports with the sheet of one open."""
    return f"/{organization}/imports?import={import_id}"


def suppressions(organization: Slug) -> str:
    """Return the address of the suppression list."""
    return f"/{organization}/suppressions"


def download_list(organization: Slug, content: Literal["contacts", "suppressions"]) -> str:
    """Return the address of the address book or the suppression list as CSV; the page's filters may follow."""
    return f"{DOWNLOAD}/{organization}/{content}.csv"


def download_not_suppressed(organization: Slug, import_id: Id) -> str:
    """Return the address of the rows of a file of suppressions that could not be read."""
    return f"{DOWNLOAD}/{organization}/suppressions/imports/{import_id}/not-imported.csv"


def agents(organization: Slug) -> str:
    """Return the address of the agent list."""
    return f"/{organization}/agents"


def numbers(organization: Slug) -> str:
    """Return the address of the list of our numbers."""
    return f"/{organization}/numbers"


def settings(organization: Slug) -> str:
    """Return the address of the organization's settings."""
    return f"/{organization}/settings"
