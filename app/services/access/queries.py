"""Who is asking, and what an organization looks like: everything of this noun that reads."""

from app.services.access.keys import KeyView, list_keys
from app.services.access.members import MemberView, list_members
from app.services.access.organizations import OrganizationView, organization_settings
from app.services.access.sessions import (
    Membership,
    SignedInUser,
    memberships,
    principal_for,
    resolve_session,
)
from app.services.access.set_up_links import setup_link_is_valid

__all__ = [
    "KeyView",
    "MemberView",
    "Membership",
    "OrganizationView",
    "SignedInUser",
    "list_keys",
    "list_members",
    "memberships",
    "organization_settings",
    "principal_for",
    "resolve_session",
    "setup_link_is_valid",
]
