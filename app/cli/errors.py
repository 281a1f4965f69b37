"""The commands' own errors."""

from app.runtime.errors import OperatorError


class ConfigurationError(OperatorError):
    """A variable is missing, or cannot be used."""


class CommandError(OperatorError):
    """A command cannot do what was asked."""
