"""Every table, so that the metadata is whole wherever one is imported."""

from app.models.agent import Agent
from app.models.attempt import Attempt, AttemptTurn, ProviderEvent, SecondCall
from app.models.bulk_change import BulkAction, BulkChange, BulkStatus
from app.models.campaign import (
    Audience,
    AudienceMode,
    AudienceStatus,
    BreakerTrip,
    Campaign,
    CampaignNumber,
    CampaignTransition,
    CompanyMeaning,
    Run,
    ScheduleType,
    Step,
)
from app.models.carrier import CarrierAccount, NumberRest, PhoneNumber
from app.models.contact import (
    Consent,
    Contact,
    Segment,
    Suppression,
    SuppressionImport,
    SuppressionScope,
    SuppressionSource,
)
from app.models.contact_import import (
    ContactImport,
    ImportBatch,
    ImportChange,
    ImportChunk,
    ImportIssue,
    ImportMapping,
    ImportStatus,
)
from app.models.operations import IdempotencyKey, Installation, WorkerHeartbeat
from app.models.organization import Organization
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
    "AudienceMode",
    "AudienceStatus",
    "BreakerTrip",
    "BulkAction",
    "BulkChange",
    "BulkStatus",
    "Campaign",
    "CampaignNumber",
    "CampaignTransition",
    "CarrierAccount",
    "CompanyMeaning",
    "Consent",
    "Contact",
    "ContactImport",
    "IdempotencyKey",
    "ImportBatch",
    "ImportChange",
    "ImportChunk",
    "ImportIssue",
    "ImportMapping",
    "ImportStatus",
    "Installation",
    "KnownBrowser",
    "Member",
    "NumberRest",
    "Organization",
    "PhoneNumber",
    "ProviderEvent",
    "Recipient",
    "RecipientTransition",
    "Run",
    "ScheduleType",
    "SecondCall",
    "Segment",
    "SetupLink",
    "SignInFailure",
    "SignInTicket",
    "Step",
    "Suppression",
    "SuppressionImport",
    "SuppressionScope",
    "SuppressionSource",
    "User",
    "UserSession",
    "WorkerHeartbeat",
]
