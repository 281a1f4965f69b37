"""The campaign's states and their transitions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CampaignStatus(StrEnum):
    """The state of a campaign. "Waiting for calling hours" is no state: the gate answers that."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Channel(StrEnum):
    """How people are reached. `mixed` stays hidden until sequences work."""

    CALL = "call"
    SMS = "sms"
    MIXED = "mixed"


class Purpose(StrEnum):
    """Why people are contacted, which decides whose consent is needed."""

    INFORMATIONAL = "informational"
    """They expect it, such as a reminder: everybody who did not refuse."""
    MARKETING = "marketing"
    """It sells something: only people whose consent is on record."""


class ScheduleType(StrEnum):
    """When a campaign runs."""

    IMMEDIATE = "immediate"
    SCHEDULED = "scheduled"
    RECURRING = "recurring"


class CompanyMeaning(StrEnum):
    """Whether `{{company}}` is our organization (`/api/v1`, the browser) or the contact's (the guide dialect)."""

    ORGANIZATION = "organization"
    CONTACT = "contact"


class CampaignAction(StrEnum):
    """What a user can do with a campaign."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    DUPLICATE = "duplicate"
    RETRY_FAILED = "retry_failed"
    EDIT = "edit"
    DELETE = "delete"


_S = CampaignStatus

TRANSITIONS: Final[Mapping[CampaignStatus, frozenset[CampaignStatus]]] = {
    _S.DRAFT: frozenset({_S.SCHEDULED, _S.QUEUED, _S.CANCELLED}),
    _S.SCHEDULED: frozenset({_S.QUEUED, _S.PAUSED, _S.COMPLETED, _S.CANCELLED, _S.FAILED}),
    _S.QUEUED: frozenset({_S.RUNNING, _S.PAUSED, _S.COMPLETED, _S.CANCELLED, _S.FAILED, _S.SCHEDULED}),
    _S.RUNNING: frozenset({_S.PAUSED, _S.COMPLETED, _S.CANCELLED, _S.FAILED, _S.SCHEDULED}),
    _S.PAUSED: frozenset({_S.SCHEDULED, _S.QUEUED, _S.RUNNING, _S.CANCELLED, _S.FAILED}),
    _S.COMPLETED: frozenset({_S.RUNNING}),
    _S.CANCELLED: frozenset(),
    _S.FAILED: frozenset({_S.SCHEDULED, _S.QUEUED, _S.RUNNING, _S.CANCELLED}),
}
"""Status -> which may follow it. `completed -> running` is "retry failed"; `failed -> running` is a resume.

A recurring campaign is scheduled again when a run has ended. It completes from there if its last occurrence was missed.
"""

EDITABLE: Final = frozenset({_S.DRAFT, _S.PAUSED, _S.FAILED})
"""Settings and contacts can be changed only in these (seed 004: Draft or Paused; a failed one has to be repaired)."""

NOT_BEGUN: Final = frozenset({_S.DRAFT, _S.SCHEDULED})
"""Before the start: no one has been contacted."""

DIALING: Final = frozenset({_S.QUEUED, _S.RUNNING})
"""Attempts may be reserved in these only."""

UNDER_WAY: Final = DIALING | {_S.SCHEDULED}
"""Started and not stopped: it dials now, or at its scheduled time."""

OVER: Final = frozenset({_S.COMPLETED, _S.CANCELLED})
"""It ended; no recipient waits any more."""

ACTIONS: Final[Mapping[CampaignAction, frozenset[CampaignStatus]]] = {
    CampaignAction.START: frozenset({_S.DRAFT}),
    CampaignAction.PAUSE: UNDER_WAY,
    CampaignAction.RESUME: frozenset({_S.PAUSED, _S.FAILED}),
    CampaignAction.CANCEL: frozenset(_S) - OVER,
    CampaignAction.DUPLICATE: frozenset(_S),
    CampaignAction.RETRY_FAILED: frozenset({_S.COMPLETED}),
    CampaignAction.EDIT: EDITABLE,
    CampaignAction.DELETE: frozenset({_S.DRAFT}),
}
"""In which statuses each action is offered."""


class TransitionNotAllowed(Exception):
    """The status `new` may not follow `old`."""

    def __init__(self, old: StrEnum, new: StrEnum) -> None:
        super().__init__(f"{old} cannot become {new}")
        self.old, self.new = old, new


def before(new: CampaignStatus) -> frozenset[CampaignStatus]:
    """Return the statuses that `new` may follow."""
    return frozenset(old for old, following in TRANSITIONS.items() if new in following)


def check_transition(old: CampaignStatus, new: CampaignStatus) -> None:
    """Raise `TransitionNotAllowed` unless `new` may follow `old`."""
    if new not in TRANSITIONS[old]:
        raise TransitionNotAllowed(old, new)


def status_of_run(campaign: CampaignStatus, *, started: bool) -> CampaignStatus:
    """Return the status by which the progress of a run is measured, of a campaign in that status.

    A run that has started has begun, also while its campaign waits for the next.
    """
    return CampaignStatus.COMPLETED if started and campaign in NOT_BEGUN else campaign


def may(action: CampaignAction, status: CampaignStatus) -> bool:
    """Tell whether the action is offered in that status."""
    return status in ACTIONS[action]


def allowed_actions(status: CampaignStatus) -> frozenset[CampaignAction]:
    """Return every action offered in that status."""
    return frozenset(action for action, statuses in ACTIONS.items() if status in statuses)
