"""Apple's programs and DAVx5, in the order of requests that public captures and its source show (clients.md §7, §8)."""

from __future__ import annotations

from typing import ClassVar

from tests.clients.editing import raised, rewritten, signed, with_zone
from tests.clients.program import Copy, Program, answered, href_in, propfind, query, sync_collection
from tests.dav.house import CS, HERE, ICAL, SPACES, Answer, C, D

ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:GMT+2
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:GMT+1
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE""".splitlines()
"""Apple writes a zone of its own under the same name."""

ALARM = """BEGIN:VEVENT
TRIGGER:-PT15H
END:VEVENT"""

OF_PRINCIPAL = (
    *(f"{C}{name}" for name in ("calendar-home-set", "calendar-user-address-set", "schedule-inbox-URL", "schedule-outbox-URL")),
    *(f"{CS}{name}" for name in ("dropbox-home-URL", "email-address-set", "notification-URL", "calendar-proxy-read-for")),
    *(f"{D}{name}" for name in ("current-user-principal", "displayname", "principal-collection-set", "principal-URL", "resource-id")),
    f"{D}supported-report-set",
)
OF_HOME = (
    *(f"{D}{name}" for name in ("add-member", "current-user-privilege-set", "displayname", "owner", "quota-available-bytes")),
    *(f"{D}{name}" for name in ("quota-used-bytes", "resource-id", "resourcetype", "supported-report-set", "sync-token")),
    *(f"{C}{name}" for name in ("calendar-description", "calendar-free-busy-set", "calendar-timezone", "default-alarm-vevent-date")),
    *(f"{C}{name}" for name in ("default-alarm-vevent-datetime", "schedule-calendar-transp", "schedule-default-calendar-URL")),
    *(f"{C}{name}" for name in ("supported-calendar-component-set", "supported-calendar-component-sets", "calendar-availability")),
    *(f"{CS}{name}" for name in ("allowed-sharing-modes", "checksum-versions", "getctag", "invite", "pre-publish-url", "publish-url")),
    *(f"{CS}{name}" for name in ("push-transports", "pushkey", "source", "subscribed-strip-alarms", "subscribed-strip-attachments")),
    *(f"{CS}{name}" for name in ("subscribed-strip-todos", "xmpp-server", "xmpp-uri")),
    *(f"{ICAL}{name}" for name in ("autoprovisioned", "calendar-color", "calendar-order", "language-code", "location-code", "refreshrate")),
)
"""Forty names, most of which nobody but Apple's own server has an answer to."""


class Mac(Program):
    """Calendar of macOS 10.7 to 10.11: asks for everything, sets order, colour and alarms at once, and syncs without a sync-level."""

    agent = "Mac+OS+X/10.11.6 (15G1108) CalendarAgent/361.2"
    xml = "text/xml"
    usual: ClassVar = {"Accept": "*/*", "Accept_Encoding": "gzip, deflate", "Brief": "t", "Prefer": "return=minimal"}
    batch = 50
    deletes_with_condition = False
    level: ClassVar[str | None] = None

    def set_up(self) -> None:
        first = (f"{D}current-user-principal", f"{D}principal-URL", f"{D}resourcetype")
        moved = self.ask("PROPFIND", "/.well-known/caldav", propfind(first), Authorization=None, Depth="0")
        assert moved.status in (301, 308)
        root = moved.headers["location"]
        self.principal = href_in(answered(self.ask_twice("PROPFIND", root, propfind(first), Depth="0")), root, f"{D}current-user-principal")
        options = self.ask("OPTIONS", self.principal)
        assert "calendar-access" in options.headers["dav"].split(", ")
        assert "PROPFIND" in options.headers["allow"].split(", ")
        self.home = href_in(self.propfind(self.principal, OF_PRINCIPAL), self.principal, f"{C}calendar-home-set")
        self.look_around()
        self.list_calendars(self.propfind(self.home, OF_HOME, "1"))
        self.decorate()

    def look_around(self) -> None:
        searchable = self.ask("REPORT", self.principal, f"<D:principal-search-property-set {SPACES}/>", Depth="0")
        assert searchable.status == 200

    def decorate(self) -> None:
        """A refusal must say so for each property; 405 or an error makes it give up (clients.md §10.4)."""
        alarms = "".join(f"<C:default-alarm-vevent-{kind}>{ALARM}</C:default-alarm-vevent-{kind}>" for kind in ("date", "datetime"))
        assert self.proppatch(self.home, alarms).status in (200, 207)
        for order, path in enumerate(self.calendars):
            looks = f'<I:calendar-order>{order}</I:calendar-order><I:calendar-color symbolic-color="orange">#FF9500FF</I:calendar-color>'
            assert self.proppatch(path, looks).status in (200, 207)

    def proppatch(self, path: str, looks: str) -> Answer:
        return self.ask("PROPPATCH", path, f"<D:propertyupdate {SPACES}><D:set><D:prop>{looks}</D:prop></D:set></D:propertyupdate>")

    def refresh(self) -> None:
        found = self.propfind(HERE, [f"{CS}getctag", f"{D}sync-token"]).responses[HERE]
        if self.state and self.state == found[f"{D}sync-token"]:
            return
        self.sync(sync_collection(self.state, [f"{D}getcontenttype", f"{D}getetag"], self.level), Depth="1")

    @property
    def data(self) -> tuple[str, ...]:
        return (f"{D}getetag", f"{C}schedule-tag", f"{C}calendar-data")

    def written(self, text: str) -> str:
        named = with_zone(signed(raised(text), "-//Apple Inc.//Mac OS X 10.11.6//EN"), ZONE)
        return rewritten(named, DTSTAMP="20261124T080100Z", X_APPLE_TRAVEL_ADVISORY_BEHAVIOR="AUTOMATIC")


class OldPhone(Mac):
    """iOS 5: looks from a month ago on, without an end, and compares ETags."""

    agent = "iOS/5.1.1 (9B206) dataaccessd/1.0"

    def look_around(self) -> None:
        """Not this one."""

    def refresh(self) -> None:
        ctag = self.propfind(HERE, [f"{CS}getctag"]).responses[HERE][f"{CS}getctag"]
        if ctag != self.state:
            window = '<C:time-range start="20261024T000000Z"/>'
            self.compare(self.ask("REPORT", HERE, query([f"{D}getetag"], window), Depth="1"))
            self.state = ctag


class Phone(Mac):
    """iOS 26: sync-collection only; deletes without If-Match; writes its lines as long as they come."""

    agent = "iOS/26.5 (23F79) dataaccessd/1.0"
    level = "1"

    def look_around(self) -> None:
        """Not this one."""

    def written(self, text: str) -> str:
        named = with_zone(signed(raised(text), "-//Apple Inc.//iOS 26.5//EN"), ZONE)
        return rewritten(named, DTSTAMP="20261124T080100Z", X_APPLE_CREATOR_IDENTITY="com.apple.mobilecal", URL="")


class Davx5(Program):
    """DAVx5: Depth 0 for sync-collection, multiget by ten, SEQUENCE raised with each upload, Schedule-Tag wherever there is one."""

    agent = "DAVx5/4.5.5-ose (dav4jvm; okhttp/5.1.0) Android/16"
    xml = "application/xml; charset=utf-8"
    batch = 10
    typed = "/dav/"

    def set_up(self) -> None:
        asked = (
            *(f"{D}{name}" for name in ("resourcetype", "displayname", "current-user-privilege-set", "current-user-principal")),
            *(f"{C}{name}" for name in ("calendar-description", "calendar-timezone", "supported-calendar-component-set")),
            f"{C}calendar-home-set",
            f"{ICAL}calendar-color",
        )
        answer = self.propfind(self.typed, asked)
        principal = href_in(answer, self.typed, f"{D}current-user-principal")
        assert "calendar-access" in self.ask("OPTIONS", principal).headers["dav"].split(", ")
        proxies = (f"{CS}calendar-proxy-read-for", f"{CS}calendar-proxy-write-for", f"{D}group-membership")
        found = self.propfind(principal, (f"{D}displayname", f"{C}calendar-home-set", *proxies))
        home = href_in(found, principal, f"{C}calendar-home-set")
        push = tuple(f"{{https://bitfire.at/webdav-push}}{name}" for name in ("transports", "topic", "supported-triggers"))
        owned = (
            f"{D}owner",
            f"{CS}source",
            f"{D}resourcetype",
            f"{D}displayname",
            f"{D}current-user-privilege-set",
            f"{ICAL}calendar-color",
        )
        of_calendars = (f"{C}calendar-description", f"{C}calendar-timezone", f"{C}supported-calendar-component-set")
        self.list_calendars(self.propfind(home, (*owned, *of_calendars, *push), "1"))

    def refresh(self) -> None:
        able = (f"{D}supported-report-set", f"{D}sync-token", f"{CS}getctag", f"{C}max-resource-size")
        found = self.propfind(HERE, able).responses[HERE]
        if self.state and self.state == found[f"{D}sync-token"]:
            return
        self.sync(sync_collection(self.state, [f"{D}getetag"]), Depth="0")

    @property
    def data(self) -> tuple[str, ...]:
        return (f"{D}getcontenttype", f"{D}getetag", f"{C}schedule-tag", f"{C}calendar-data")

    def condition(self, before: Copy | None) -> dict[str, str]:
        if before is not None and before.schedule_tag:
            return {"If_Schedule_Tag_Match": before.schedule_tag}
        return super().condition(before)

    def reread(self, path: str) -> None:
        """It keeps no ETag, and fetches with the next sync, which it starts at once."""

    def written(self, text: str) -> str:
        return rewritten(signed(raised(text), "DAVx5/4.5.5-ose ical4j/4.1.1"), DTSTAMP="20261124T080100Z")


class Davx5ByWindow(Davx5):
    """The same with a limit of past days: a query with an open end in place of sync-collection."""

    def refresh(self) -> None:
        window = '<C:time-range start="20260826T000000Z"/>'
        self.compare(self.ask("REPORT", HERE, query([f"{D}getetag"], window), Depth="1"))
