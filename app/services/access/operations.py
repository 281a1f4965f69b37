"""What changes who may come in: everything of this noun that writes, in one place to import from."""

from app.services.access.keys import NewKey, create_key, resolve_key, revoke_key
from app.services.access.members import create_user
from app.services.access.organizations import (
    console_principal,
    create_organization,
    get_or_create_organization,
    update_organization,
)
from app.services.access.sample import load_sample_data
from app.services.access.sessions import (
    SESSION_COOKIE,
    SESSION_LIFETIME,
    principal_for,
    resolve_session,
    sign_out,
)
from app.services.access.set_up_links import SetupLinkInvalid, issue_setup_link
from app.services.access.setup import complete_setup
from app.services.access.sign_in import SignInRefused, TooManySignIns, check_password_and_issue_ticket
from app.services.access.tickets import RedeemedTicket, redeem_ticket

__all__ = [
    "SESSION_COOKIE",
    "SESSION_LIFETIME",
    "NewKey",
    "RedeemedTicket",
    "SetupLinkInvalid",
    "SignInRefused",
    "TooManySignIns",
    "check_password_and_issue_ticket",
    "complete_setup",
    "console_principal",
    "create_key",
    "create_organization",
    "create_user",
    "get_or_create_organization",
    "issue_setup_link",
    "load_sample_data",
    "principal_for",
    "redeem_ticket",
    "resolve_key",
    "resolve_session",
    "revoke_key",
    "sign_out",
    "update_organization",
]
