"""Every table, so that the metadata is whole wherever one is imported."""

from app.models.agent import Agent
from app.models.attempt import Attempt, AttemptTurn, ProviderEvent
from app.models.campaign import (
    Campaign,
    CampaignNumber,
    CampaignTransition,
    CompanyMeaning,
    Run,
    ScheduleType,
    Step,
)
from app.models.carrier import CarrierAccount, PhoneNumber
from app.models.contact import Contact, Suppression, SuppressionScope, SuppressionSource
from app.models.contact_import import (
    ContactImport,
    ImportChunk,
    ImportIssue,
    ImportStatus,
)
from app.models.operations import IdempotencyKey, WorkerHeartbeat
from app.models.organization import Organization
from app.models.recipient import Recipient, RecipientTransition
from app.models.user import (
    ApiKey,
    Member,
    SetupLink,
    SignInFailure,
    SignInTicket,
    User,
    UserSession,
)

__all__ = [
    "Agent",
    "ApiKey",
    "Attempt",
    "AttemptTurn",
    "Campaign",
    "CampaignNumber",
    "CampaignTransition",
    "CarrierAccount",
    "CompanyMeaning",
    "Contact",
    "ContactImport",
    "IdempotencyKey",
    "ImportChunk",
    "ImportIssue",
    "ImportStatus",
    "Member",
    "Organization",
    "PhoneNumber",
    "ProviderEvent",
    "Recipient",
    "RecipientTransition",
    "Run",
    "ScheduleType",
    "SetupLink",
    "SignInFailure",
    "SignInTicket",
    "Step",
    "Suppression",
    "SuppressionScope",
    "SuppressionSource",
    "User",
    "UserSession",
    "WorkerHeartbeat",
]
