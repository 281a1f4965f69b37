"""Ports nobody listens on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

FIRST: Final = 5000
_STEP: Final = 10
_LAST: Final = 5990


def free_ports(count: int) -> tuple[int, ...]:
    """Return so many neighbouring ports, below those the kernel gives to outgoing connections."""
    return next(ports for ports in _blocks(count) if _are_free(ports))


def _blocks(count: int) -> Iterator[tuple[int, ...]]:
    return (tuple(range(first, first + count)) for first in range(FIRST, _LAST, _STEP))


def _are_free(ports: tuple[int, ...]) -> bool:
    with ExitStack() as stack:
        for port in ports:
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
