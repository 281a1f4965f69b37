"""The base of all errors that whoever runs Callsheet can put right."""


class OperatorError(Exception):
    """Told in one line on standard error, without a traceback; the command ends with exit code 1."""


class ServerError(OperatorError):
    """An embedded server cannot start."""
