"""The base of all errors that the operator of an installation can correct."""


class OperatorError(Exception):
    """Shown as one line on standard error, without a traceback; the command ends with exit code 1."""


class ServerError(OperatorError):
    """An embedded server cannot start."""
