"""All tables. Importing any of them loads the whole metadata."""

from app.models.agent import Agent
from app.models.attempt import Attempt, AttemptTurn, ProviderEvent, SecondCall
from app.models.bulk_change import BulkChange
from app.models.campaign import (
    Audience,
    BreakerTrip,
    Campaign,
    CampaignNumber,
    CampaignTransition,
    Run,
    Step,
)
from app.models.carrier import CarrierAccount, PhoneNumber
from app.models.contact import (
    Contact,
    Place,
    Segment,
    Suppression,
    SuppressionImport,
)
from app.models.contact_import import (
    ContactImport,
    ImportBatch,
    ImportChange,
    ImportChunk,
    ImportIssue,
    ImportMapping,
)
from app.models.operations import IdempotencyKey, Installation, WorkerHeartbeat
from app.models.organization import LegalPolicyChange, Organization
from app.models.recipient import Recipient, RecipientTransition
from app.models.user import (
    ApiKey,
    KnownBrowser,
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
    "Audience",
    "BreakerTrip",
    "BulkChange",
    "Campaign",
    "CampaignNumber",
    "CampaignTransition",
    "CarrierAccount",
    "Contact",
    "ContactImport",
    "IdempotencyKey",
    "ImportBatch",
    "ImportChange",
    "ImportChunk",
    "ImportIssue",
    "ImportMapping",
    "Installation",
    "KnownBrowser",
    "LegalPolicyChange",
    "Member",
    "Organization",
    "PhoneNumber",
    "Place",
    "ProviderEvent",
    "Recipient",
    "RecipientTransition",
    "Run",
    "SecondCall",
    "Segment",
    "SetupLink",
    "SignInFailure",
    "SignInTicket",
    "Step",
    "Suppression",
    "SuppressionImport",
    "User",
    "UserSession",
    "WorkerHeartbeat",
]
