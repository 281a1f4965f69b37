"""Which IP addresses count as one, where tries are counted by address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_HOUSEHOLD_PREFIX: Final = 64
"""Bits of the IPv6 network of one customer, who can use all 2**64 addresses in it (RFC 6177)."""


def counted_as(address: str) -> str:
    """Return the key under which an IP address is counted: IPv4 itself, IPv6 by its /64, such as `2001:db8::/64`.

    A port after the address is left out; IPv4 written as IPv6 is IPv4. A text that is no address is returned trimmed.
    """
    known = _read(address.strip())
    if known is None:
        return address.strip()
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ip_network((int(known), _HOUSEHOLD_PREFIX), strict=False))


def _read(written: str) -> IPv4Address | IPv6Address | None:
    """Return the address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; None if it is none."""
    bare = written.removeprefix("[").partition("]")[0] if written.startswith("[") else written
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return ip_address(bare)
    except ValueError:
        return None
