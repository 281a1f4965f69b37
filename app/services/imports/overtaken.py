"""What ends a run whose import has changed meanwhile."""


class Overtaken(Exception):
    """The import is not where this run left it: cancelled, deleted with its campaign, or run by another."""
