"""Refuses addresses that no channel has business with: the hub itself, and what a cloud tells its machines.

Addresses of the home network are allowed. A name is looked up here and the connection goes to what was
looked up, so that a name cannot point elsewhere a moment later.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from vabhub.settings import get_settings

Ip = IPv4Address | IPv6Address

# Where clouds serve credentials to the machines in them: AWS, Azure, GCP, Alibaba, Oracle, Tencent, and all
# of link-local, which is where nearly all of them are.
_METADATA = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",
            "100.100.100.200/32",
            "168.63.129.16/32",
            "192.0.0.192/32",
            "fd00:ec2::/32",
            "fd20:ce::/32",
            "fe80::a9fe:a9fe/128",
        ),
    )
)
_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_NAME_ENDS = (".metadata.google.internal", "instance-data.ec2.internal", "metadata.tencentyun.com")
_NAT64 = ip_network("64:ff9b::/96")


class Refused(Exception):
    """The address is one that is not called; the text says why and how to allow it."""


def check(host: str, port: int | None) -> None:
    """Raise Refused for an address that is written out (in any notation) or a name known for this."""
    name = host.rstrip(".").lower()
    if name in _NAMES or name.endswith(_NAME_ENDS):
        raise Refused(_why(host, "is where a cloud keeps a machine's credentials"))
    address = _written_out(name)
    if address is not None:
        _check_ip(address, port, host)


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host, each checked; raises Refused if one is refused, OSError if none."""
    check(host, port)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    check_found(addresses, port, host)
    return addresses


def check_found(addresses: Iterable[str], port: int | None, host: str) -> None:
    """Raise Refused if one of the addresses that a host was looked up to is refused."""
    for address in addresses:
        _check_ip(ip_address(address.partition("%")[0]), port, host)


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connection to the first address of a host that answers; raises Refused and OSError."""
    *others, last = look_up(host, port)
    for address in others:
        try:
            return socket.create_connection((address, port), timeout_s)
        except OSError:
            continue  # the last one's error is the one that is told
    return socket.create_connection((last, port), timeout_s)


def refused(settings: Mapping[str, Any], *, look_up_names: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each setting that is a refused address, and why. A name that cannot be looked up passes."""
    for name, value in settings.items():
        for host, port in _hosts(name, value):
            try:
                check(host, port)
                if look_up_names:
                    look_up(host, port or 0)
            except Refused as error:
                yield name, str(error)
            except (OSError, UnicodeError):
                continue  # it may be there later; it is looked at again with every connection


def _hosts(name: str, value: Any) -> Iterator[tuple[str, int | None]]:
    text = str(value)
    if "://" in text:
        try:
            parts = urlsplit(text)
            usual = {"http": 80, "https": 443}.get(parts.scheme)
            if parts.hostname:
                yield parts.hostname, parts.port or usual
        except ValueError:
            return  # no address at all; what it is for will say so
    elif name.endswith("_host"):
        yield text, None


def _check_ip(address: Ip, port: int | None, host: str) -> None:
    address = _plain(address)
    if any(address in network for network in get_settings().outbound_allow):
        return
    if any(address in network for network in _METADATA):
        raise Refused(_why(host, "is where a cloud keeps a machine's credentials"))
    if port == get_settings().port and _is_ours(address):
        raise Refused(_why(host, "is VabHub itself"))


def _why(host: str, reason: str) -> str:
    return f"{host} {reason}; VABHUB_OUTBOUND_ALLOW lists addresses that may be called all the same"


def _written_out(host: str) -> Ip | None:
    """Return the address that `host` is: 169.254.169.254, 0xa9fea9fe, 2852039166, ::ffff:a9fe:a9fe, …"""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass  # the older notations are only known to inet_aton
    try:
        return IPv4Address(socket.inet_aton(host)) if host[:1].isdigit() else None
    except OSError:
        return None


def _plain(address: Ip) -> Ip:
    """Return the IPv4 address that an IPv6 address carries within, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _is_ours(address: Ip) -> bool:
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((str(address), 0))  # only an address of this very machine can be bound
        except OSError:
            return False
    return True
