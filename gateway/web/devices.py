"""What sets up a device without typing: Apple's configuration profile, the link that DAVx⁵ opens, and both as a QR code.

All pure: an account in, octets or text out. No password is inside: whoever finds a profile or a photograph of a code knows an
address and a user name. The device asks for the password when it sets up the account.
"""

from __future__ import annotations

import io
import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from segno import QRCode

PROFILE_TYPE = "application/x-apple-aspen-config"
"""The only type by which an iPhone takes a profile for one."""

_LONGEST = 100  # characters of a name on a phone


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What a device logs in with. `public_url` has no slash at the end; names may hold anything.

    The handle is the user name, and not the e-mail address: it stays when an address changes, and needs no escape in a link.
    """

    public_url: str
    handle: str
    name: str
    company: str

    @property
    def server(self) -> str:
        return f"{self.public_url}/dav/"

    @property
    def principal(self) -> str:
        return f"{self.server}{quote(self.handle, safe='')}/"

    @property
    def file_name(self) -> str:
        """Of the profile: what iOS and macOS open by its ending."""
        return f"{quote(self.handle, safe='')}.mobileconfig"


def profile(account: Account, *, feed_url: str | None = None, description: str = "") -> bytes:
    """An unsigned profile for iPhone, iPad, Mac and Vision Pro (Apple's Device Management: TopLevel, CalDAV, SubscribedCalendars).

    The same account gives the same octets, and with them the same UUIDs: installing it again replaces what was there. `feed_url`
    adds a subscription, which Apple has on iPhone, iPad and Vision Pro only; a profile for a Mac goes without. `description` is what
    the device shows before it installs the profile, in the reader's language.
    """
    url = urlsplit(account.public_url)
    name = _shown(account.company) or url.hostname or "Calendar"
    payloads = [_calendars(account, url, name)]
    if feed_url is not None:
        payloads.append(_subscription(account, feed_url, name))
    whole = {
        **_payload(account, "Configuration", "", name),
        "PayloadDescription": _shown(description) or f"Calendars of {_shown(account.name) or account.handle} at {name}",
        "PayloadOrganization": name,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": payloads,
    }
    return plistlib.dumps(whole, fmt=plistlib.FMT_XML, sort_keys=True)


def _calendars(account: Account, url: SplitResult, name: str) -> dict[str, Any]:  # as deep and mixed as a property list is
    secure = url.scheme == "https"
    return {
        **_payload(account, "com.apple.caldav.account", "caldav", name),
        "CalDAVAccountDescription": name,
        "CalDAVHostName": url.hostname or "",
        "CalDAVPort": url.port or (443 if secure else 80),
        "CalDAVUseSSL": secure,
        "CalDAVUsername": account.handle,
        "CalDAVPrincipalURL": account.principal,
    }


def _subscription(account: Account, feed_url: str, name: str) -> dict[str, Any]:  # as above
    return {
        **_payload(account, "com.apple.subscribedcalendar.account", "feed", name),
        "SubCalAccountDescription": name,
        "SubCalAccountHostName": feed_url,
        "SubCalAccountUseSSL": feed_url.startswith("https:"),
    }


def _payload(account: Account, kind: str, part: str, name: str) -> dict[str, Any]:  # as above
    """What every payload has to have."""
    of = account.principal + part
    host = ".".join(reversed((urlsplit(account.public_url).hostname or "localhost").replace(":", "-").split(".")))
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": ".".join(filter(None, (host, account.handle, part))),
        "PayloadUUID": str(uuid5(NAMESPACE_URL, of)).upper(),
        "PayloadDisplayName": name,
    }


def _shown(name: str) -> str:
    """A name that can stand in a property list and on a small screen: no control characters, which XML cannot carry, and no
    marks that turn text around."""
    return "".join(filter(str.isprintable, name)).strip()[:_LONGEST].strip()


def account_link(account: Account) -> str:
    """caldavs://user@host/path: DAVx⁵ opens its account set-up with it. caldav:// without TLS."""
    url = urlsplit(account.server)
    scheme = "caldavs" if url.scheme == "https" else "caldav"
    return f"{scheme}://{quote(account.handle, safe='')}@{url.netloc.rpartition('@')[2]}{url.path}"


def code_as_svg(text: str) -> bytes:
    """A QR code as a picture that scales with its box, black on white also on a dark page."""
    picture = io.BytesIO()
    _code(text).save(picture, kind="svg", xmldecl=False, nl=False, omitsize=True, light="#fff", border=4)
    return picture.getvalue()


def code_as_text(text: str) -> str:
    """A QR code for a terminal: half blocks, light on dark."""
    picture = io.StringIO()
    _code(text).terminal(picture, border=2, compact=True)
    return picture.getvalue()


def _code(text: str) -> QRCode:
    """Repairs up to 15 % of damage; never a Micro QR code, which telephones do not read."""
    import segno  # 4 MiB of tables that a process seldom needs

    return segno.make_qr(text, error="m")
