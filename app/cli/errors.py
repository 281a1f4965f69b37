"""Errors of the commands."""

from app.runtime.errors import OperatorError


class ConfigurationError(OperatorError):
    """An environment variable is missing or wrong."""


class CommandError(OperatorError):
    """A command failed. The message says why."""
