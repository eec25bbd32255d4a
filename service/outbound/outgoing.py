"""Calls to addresses that a person typed in: only where they may go, never into the own network, never further than asked.

The host is resolved once and the connection made to that very address, so that a name cannot point elsewhere in between; no
redirect is followed. A host named in SALUR_WEBHOOK_HOSTS may also be private, or be spoken to over plain http.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from model.faults import SalurError

SECONDS = 10
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_OLD = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32")))
"""Old ways of writing an IPv4 address as one of IPv6: a network may still translate them, and no public host has one."""


class ForbiddenAddress(SalurError):
    """The address may not be called; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called: the URL and the network address that its host has now."""

    url: SplitResult
    address: str
    port: int


def check(text: str, allowed_hosts: Collection[str]) -> SplitResult:
    """Check the form of an address. Raises ForbiddenAddress."""
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError as error:
        raise ForbiddenAddress("the address cannot be read") from error
    if url.scheme not in ("https", "http") or not host or port == 0:
        raise ForbiddenAddress("the address must be https://host/...")
    if url.username or url.password or url.fragment:
        raise ForbiddenAddress("the address must hold no user name, password or fragment")
    if any(ord(char) < 33 or ord(char) > 126 for char in text):
        raise ForbiddenAddress("the address must be plain ASCII without blanks")
    if url.scheme == "http" and host not in allowed_hosts:
        raise ForbiddenAddress(f"plain http is allowed to the hosts of SALUR_WEBHOOK_HOSTS only, and {host} is none of them")
    with suppress(ValueError):  # a name is looked up when it is called
        _refuse_private(host, [host], allowed_hosts)
    return url


def resolve(text: str, allowed_hosts: Collection[str]) -> Target:
    """Find where an address leads now. Raises ForbiddenAddress where that is no public place, OSError where there is none."""
    url = check(text, allowed_hosts)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    _refuse_private(host, found, allowed_hosts)
    return Target(url, found[0], port)


def post(target: Target, body: bytes, headers: Mapping[str, str], seconds: float = SECONDS) -> int:
    """Send a body and answer the status, all within some seconds once there is a connection.

    Raises OSError or http.client.HTTPException where it does not get through.
    """
    connection = http.client.HTTPConnection(target.url.hostname or "", target.port, timeout=seconds)
    sock = socket.create_connection((target.address, target.port), timeout=seconds)
    if target.url.scheme == "https":
        context = ssl.create_default_context()
        sock = context.wrap_socket(sock, server_hostname=target.url.hostname, do_handshake_on_connect=False)
    connection.sock = sock
    # The socket's own limit is for each piece: who sends a byte now and then would keep us for days.
    watchdog = threading.Timer(seconds, _hang_up, [sock])
    watchdog.daemon = True
    watchdog.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        path = (target.url.path or "/") + (f"?{target.url.query}" if target.url.query else "")
        connection.request("POST", path, body, {"Host": target.url.netloc, **headers})
        return connection.getresponse().status  # what it says besides is of no use
    finally:
        watchdog.cancel()
        connection.close()


def _hang_up(sock: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        sock.shutdown(socket.SHUT_RDWR)


def _refuse_private(host: str, found: Collection[str], allowed_hosts: Collection[str]) -> None:
    # One private address among several is enough: whoever answers for the name could choose it.
    if host not in allowed_hosts and not all(map(_is_public, found)):
        raise ForbiddenAddress(f"{host} leads into a private network: where it may, name it in SALUR_WEBHOOK_HOSTS")


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    meant = _carried(parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed
    return meant is not None and meant.is_global and not meant.is_multicast


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Answer the IPv4 address to which an IPv6 address leads through a translator, else itself; None where nobody can know."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if any(address in network for network in _OLD) or address.is_site_local:
        return None
    return address.ipv4_mapped or address.sixtofour or address
