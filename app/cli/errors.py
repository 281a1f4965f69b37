"""The errors an operator can put right: each is one line, without a traceback."""

from typing import Final

from app.frontend import BuildError
from app.home import AlreadyRunningError
from app.local import ServerError
from app.servers import UnreachableError
from app.stack import PortTakenError
from app.supervisor import ChildFailedError


class ConfigurationError(Exception):
    """A variable is missing, or cannot be used."""


class CommandError(Exception):
    """A command cannot do what was asked."""


OPERATOR_ERRORS: Final = (
    AlreadyRunningError,
    BuildError,
    ChildFailedError,
    CommandError,
    ConfigurationError,
    PortTakenError,
    ServerError,
    UnreachableError,
)
