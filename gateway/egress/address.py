"""Reading an address that somebody gave us, and which machines of the internet may be called (trust.md A140–A143)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gateway.errors import Invalid

LONGEST = 2048
"""Characters of an address."""

Address = IPv4Address | IPv6Address

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>[/?][!-~]*)?"
)
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_UNFIT = re.compile(r"[#\\]")

_PORTS = {"https": 443, "http": 80}

# Not of the public internet, by IANA's registries of addresses for special purposes; Python's own list differs between its versions.
_SPECIAL_4 = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
            *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
# Within that: protocols and Teredo, documentation, 6to4.
_SPECIAL_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")  # the whole IPv4 internet, where a network speaks IPv6 only (RFC 6052)
_ISATAP = 0x5EFE  # in the middle of an address: an IPv4 address follows (RFC 5214)
_OWN_4 = tuple(map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_OWN_6 = tuple(map(IPv6Network, ("::1/128", "fc00::/7")))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An address taken apart; `path` with its query, as it was written."""

    scheme: str
    host: str  # in lower case; an IPv6 address without its brackets
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454 §6.2)."""
        return f"{self.scheme}://{self.authority}"


def target_of(url: str, *, plain: bool = False) -> Target:
    """Take an address apart. Raises Invalid for what no honest one looks like: other schemes than https (with `plain` http too),
    user information, a fragment, anything beyond ASCII, numbers that some read as an IPv4 address and some do not, ports of other
    services.
    """
    found = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if found is None or _UNFIT.search(url):
        raise Invalid("This is not an address such as https://example.com/path.")
    scheme = found["scheme"].lower()
    if scheme not in (("https", "http") if plain else ("https",)):
        raise Invalid("The address begins with https://.")
    port = int(found["port"]) if found["port"] is not None else _PORTS[scheme]
    if port != _PORTS[scheme] and not 1024 <= port <= 65535:
        raise Invalid("The address names a port of some other service.")
    path = found["path"] or "/"
    return Target(scheme=scheme, host=_host(found["host"].lower()), port=port, path=path if path.startswith("/") else f"/{path}")


def _host(written: str) -> str:
    if written.startswith("["):
        try:
            return str(IPv6Address(written[1:-1]))
        except ValueError:
            raise Invalid("The address contains an IPv6 address that is none.") from None
    *_, last = labels = written.split(".")
    if _NUMBER.fullmatch(last):  # the rule of browsers: an IPv4 address is meant, then; of which only one spelling is clear
        try:
            return str(IPv4Address(written))
        except ValueError:
            raise Invalid("The address contains an IPv4 address in an uncommon spelling.") from None
    if len(written) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Invalid("The address contains a host name that is none.")
    return written


def literal(host: str) -> Address | None:
    """The address itself, when the host is one and no name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def public(address: Address) -> bool:
    """Whether it is one of the public internet, also where an IPv6 address hides another one."""
    if isinstance(address, IPv4Address):
        return not any(address in net for net in _SPECIAL_4)
    if address in _NAT64:
        return public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _PUBLIC_6 or any(address in net for net in _SPECIAL_6):
        return False
    return (int(address) >> 32) & 0xFFFF != _ISATAP


def own(address: Address) -> bool:
    """Whether it is this machine, or one of a private network, which an operator may let us call. Never a link-local address: there
    machines in a cloud are told their secrets."""
    if isinstance(address, IPv4Address):
        return any(address in net for net in _OWN_4)
    return any(address in net for net in _OWN_6)
