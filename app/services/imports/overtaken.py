"""The error that ends a run when its import was changed by another."""


class Overtaken(Exception):
    """The import has changed since this run read it: cancelled, deleted with its campaign, or run by another."""
