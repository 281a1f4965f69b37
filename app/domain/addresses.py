"""What counts as one address, where tries are counted by address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_OF_ONE_HOUSEHOLD: Final = 64
"""Bits of an IPv6 network: whoever is given one address is given 2**64 of them (RFC 6177)."""


def counted_as(address: str) -> str:
    """Return what an IP address is counted as: IPv4 itself, IPv6 by its /64, such as `2001:db8::/64`.

    A port that a proxy wrote behind it is left out; IPv4 written as IPv6 is IPv4. What is no address is itself.
    """
    known = _read(address.strip())
    if known is None:
        return address.strip()
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ip_network((int(known), _OF_ONE_HOUSEHOLD), strict=False))


def _read(written: str) -> IPv4Address | IPv6Address | None:
    """Return the address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; None if it is none."""
    bare = written.removeprefix("[").partition("]")[0] if written.startswith("[") else written
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return ip_address(bare)
    except ValueError:
        return None
