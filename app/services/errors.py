"""Errors every use case may raise, in words for a person. The API and the browser translate them; nobody guesses."""

from collections.abc import Mapping

from app.domain.rights import Right


class CallsheetError(Exception):
    """Base of what a person did or can mend. Its text is shown to them."""

    code = "error"


class NotFound(CallsheetError):
    """There is no such thing in this organization (or it is another's, which is the same answer)."""

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
    """The thing is not, or no longer, in a state that allows this."""

    code = "conflict"


class FieldErrors(CallsheetError):
    """Some fields cannot be accepted: field, as the service names it -> what to change."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)
