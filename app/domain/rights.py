"""Roles and their rights: the one table for routes, event handlers and services."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A member's (or an API key's) role in one organization."""

    OWNER = "owner"
    MANAGER = "manager"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Right(StrEnum):
    """One thing a role may allow."""

    VIEW = "view"
    """See campaigns, contacts, agents, numbers, call logs."""
    RUN_CAMPAIGNS = "run_campaigns"
    """Start, pause, resume, retry; skip and retry single contacts."""
    EDIT_CAMPAIGNS = "edit_campaigns"
    """Create, edit, duplicate, cancel and delete campaigns; add and remove their contacts."""
    EDIT_CONTACTS = "edit_contacts"
    """Create, edit, import and delete contacts in the address book; suppress."""
    EDIT_AGENTS = "edit_agents"
    EDIT_NUMBERS = "edit_numbers"
    EXPORT = "export"
    STOP_DIALING = "stop_dialing"
    """Use the switch that stops all dialing of the organization at once."""
    RESUME_DIALING = "resume_dialing"
    MANAGE_SETTINGS = "manage_settings"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_KEYS = "manage_keys"


_VIEWER: Final = frozenset({Right.VIEW})
_OPERATOR: Final = _VIEWER | {Right.RUN_CAMPAIGNS, Right.STOP_DIALING}
_MANAGER: Final = _OPERATOR | {
    Right.EDIT_CAMPAIGNS,
    Right.EDIT_CONTACTS,
    Right.EDIT_AGENTS,
    Right.EDIT_NUMBERS,
    Right.EXPORT,
    Right.RESUME_DIALING,
}

ROLE_RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.MANAGER: _MANAGER,
    Role.OWNER: frozenset(Right),
}


def has_right(role: Role, right: Right) -> bool:
    """Tell whether the role includes the right."""
    return right in ROLE_RIGHTS[role]
