"""Errors that every use case may raise, with a text for people. The API and the browser translate them."""

from collections.abc import Mapping
from typing import Any

from app.domain.rights import Right


class CallsheetError(Exception):
    """Base of errors that a person caused or can correct. The text is shown to them."""

    code = "error"


class NotFound(CallsheetError):
    """There is no such thing in this organization. If it is another organization's, the answer is the same."""

    code = "not_found"

    def __init__(self, kind: str, ref: object) -> None:
        super().__init__(f"There is no {kind} {ref}.")


class NotAllowed(CallsheetError):
    """The caller's role does not include the right."""

    code = "not_allowed"

    def __init__(self, right: Right) -> None:
        super().__init__("Your role does not allow this.")
        self.right = right


class Conflict(CallsheetError):
    """The state of the thing does not allow this, or no longer."""

    code = "conflict"


class ChangedMeanwhile(Conflict):
    """Fields are no longer what the caller has read: nothing was written. `current` holds them as they are now."""

    code = "changed_meanwhile"

    def __init__(self, current: Mapping[str, Any]) -> None:
        super().__init__(f"Changed meanwhile: {', '.join(current)}.")
        self.current = dict(current)


class FieldErrors(CallsheetError):
    """Some fields cannot be accepted: the field's name in the services -> what to change."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)
