"""The programs of desks: Thunderbird, Evolution, SyncEvolution, vdirsyncer and tsdav, as their requests were recorded (clients.md §3)."""

from __future__ import annotations

from typing import ClassVar

from tests.clients.editing import rewritten, signed, without
from tests.clients.program import Copy, Program, answered, href_in, propfind, query, sync_collection
from tests.dav.house import CS, HERE, ICAL, Answer, C, D


class Thunderbird(Program):
    """Asks first without a password wherever it comes, polls by sync-collection, and asks its user before it overwrites."""

    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.7.0"
    usual: ClassVar = {"Accept": "text/xml", "Accept_Charset": "utf-8,*;q=0.1", "Accept_Encoding": "gzip, deflate, br, zstd"}
    depth_of_multiget = "1"

    def set_up(self) -> None:
        looking = (f"{D}resourcetype", f"{D}owner", f"{D}displayname", f"{D}current-user-principal", f"{D}current-user-privilege-set")
        moved = self.ask("PROPFIND", "/.well-known/caldav", propfind(looking), Authorization=None, Depth="0")
        assert moved.status in (301, 308)
        root = moved.headers["location"]
        answer = answered(self.ask_twice("PROPFIND", root, propfind((*looking, f"{C}calendar-home-set")), Depth="0"))
        home = href_in(answer, root, f"{C}calendar-home-set")
        listed = (f"{D}resourcetype", f"{D}displayname", f"{D}current-user-privilege-set", f"{ICAL}calendar-color")
        self.list_calendars(answered(self.ask_twice("PROPFIND", home, propfind(listed), Depth="1")))
        about = (*looking[:2], f"{D}supported-report-set", f"{C}supported-calendar-component-set", f"{CS}getctag")
        found = answered(self.ask_twice("PROPFIND", HERE, propfind(about), Depth="0"))
        assert "sync-collection" in {each.tag.rpartition("}")[2] for each in found.element(HERE, f"{D}supported-report-set").iter()}
        options = self.ask("OPTIONS", home, Authorization=None)  # of the parent; anything but success ends the setup
        assert options.status == 200
        assert "calendar-access" in options.headers["dav"]

    def refresh(self) -> None:
        self.sync(sync_collection(self.state, (f"{D}getcontenttype", f"{D}getetag")), Depth="1")

    def written(self, text: str) -> str:
        signed_by_it = signed(text, "-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN")
        return rewritten(signed_by_it, LAST_MODIFIED="20261124T080100Z", X_MOZ_GENERATION="1")

    def save(self, path: str, text: str) -> int:
        status = super().save(path, text)
        if status in (201, 204):
            self.fetch([path])  # it reads again whatever it wrote
        return status

    def refused(self, path: str, before: Copy, answer: Answer) -> None:
        """412 and 409 open a dialog; here its user throws his own change away."""
        self.said.append("overwrite?" if answer.status in (409, 412) else f"error {answer.status}")
        self.fetch([path])

    def overwrite(self, path: str, text: str) -> int:
        """What the other button of the dialog does."""
        return self.ask("PUT", path, self.written(text), Content_Type="text/calendar; charset=utf-8").status


class Evolution(Program):
    """evolution-data-server: no sync-collection; PUT and DELETE without If-Match unless it is told otherwise."""

    agent = "Evolution/3.46.4"
    xml = 'application/xml; charset="utf-8"'
    sends_conditions = False
    deletes_with_condition = False

    def set_up(self) -> None:
        root = self.ask("PROPFIND", "/.well-known/caldav", propfind([f"{D}current-user-principal"]), Depth="0").headers["location"]
        principal = href_in(self.propfind(root, [f"{D}current-user-principal"]), root, f"{D}current-user-principal")
        home = href_in(self.propfind(principal, [f"{C}calendar-home-set"]), principal, f"{C}calendar-home-set")
        listed = (f"{D}resourcetype", f"{D}displayname", f"{D}current-user-privilege-set", f"{C}supported-calendar-component-set")
        self.list_calendars(self.propfind(home, listed, "1"))
        assert "calendar-access" in self.ask("OPTIONS", HERE).headers["dav"].split(", ")
        self.propfind(HERE, [f"{D}current-user-privilege-set"])

    def refresh(self) -> None:
        ctag = self.propfind(HERE, [f"{CS}getctag"]).responses[HERE][f"{CS}getctag"]
        if ctag == self.state:
            return
        window = '<C:time-range start="20261017T000000Z" end="20270124T000000Z"/>'
        self.ask("REPORT", HERE, query([f"{D}getetag"], window), Depth="1")
        self.compare(self.ask("REPORT", HERE, query([f"{D}getetag"]), Depth="1"))
        self.state = ctag

    def reread(self, path: str) -> None:
        answer = self.seat.get(path)
        self.copies[path] = Copy(answer.etag, answer.text)


class CarefulEvolution(Evolution):
    """The same with CONFLICT_FAIL: it sends If-Match and takes 412 for what it is."""

    sends_conditions = True
    deletes_with_condition = True


class SyncEvolution(Program):
    """Fetches everything with its data, sends no conditions, and drops what it does not know: our revision too."""

    agent = "SyncEvolution 2.0"
    sends_conditions = False
    deletes_with_condition = False

    def set_up(self) -> None:
        root = "/dav/"
        home = href_in(self.propfind(root, [f"{C}calendar-home-set"]), root, f"{C}calendar-home-set")
        listed = (f"{D}resourcetype", f"{D}displayname", f"{D}current-user-privilege-set", f"{C}supported-calendar-component-set")
        self.list_calendars(self.propfind(home, listed, "1"))

    def refresh(self) -> None:
        answer = answered(self.ask("REPORT", HERE, query([f"{D}getetag", f"{C}calendar-data"]), Depth="1"))
        before, self.copies = self.copies, {}
        for path, found in answer.responses.items():
            self.copies[path] = Copy(found[f"{D}getetag"], found[f"{C}calendar-data"])
            if path not in before or before[path].etag != found[f"{D}getetag"]:
                self.fetched.append(path)

    def condition(self, before: Copy | None) -> dict[str, str]:
        return {}

    def reread(self, path: str) -> None:
        """It does not: what it sent is what it believes until the next poll."""

    def written(self, text: str) -> str:
        return without(text, "X-*", "URL")


class Vdirsyncer(Program):
    """Lists by calendar-query, and sends conditions with every write."""

    agent = "vdirsyncer/0.21.0"
    xml = "application/xml; charset=UTF-8"
    usual: ClassVar = {"Accept": "*/*", "Accept_Encoding": "gzip, deflate"}

    def set_up(self) -> None:
        self.propfind("/dav/", [f"{D}resourcetype"], "1")
        principal = href_in(self.propfind("/dav/", [f"{D}current-user-principal"]), "/dav/", f"{D}current-user-principal")
        home = href_in(self.propfind(principal, [f"{C}calendar-home-set"]), principal, f"{C}calendar-home-set")
        listed = self.propfind(home, [f"{D}resourcetype"], "1")
        for path in listed.responses:
            if any(each.tag == f"{C}calendar" for each in listed.element(path, f"{D}resourcetype")):
                names = (f"{D}resourcetype", f"{D}displayname", f"{D}current-user-privilege-set", f"{C}supported-calendar-component-set")
                self.list_calendars(self.propfind(path, names))

    def refresh(self) -> None:
        self.compare(self.ask("REPORT", HERE, query([f"{D}getcontenttype", f"{D}getetag"]), Depth="1"))

    def reread(self, path: str) -> None:
        """Not before the next sync, which finds an ETag that it does not know."""


class Tsdav(Program):
    """A library for web programs: asks for expanded occurrences, and writes with If-Match."""

    agent = "tsdav/2.3.0"

    def set_up(self) -> None:
        assert self.ask("PROPFIND", "/.well-known/caldav", Depth="0").status in (301, 308)
        principal = href_in(self.propfind("/dav/", [f"{D}current-user-principal"]), "/dav/", f"{D}current-user-principal")
        home = href_in(self.propfind(principal, [f"{C}calendar-home-set"]), principal, f"{C}calendar-home-set")
        names = ("displayname", "resourcetype", "supported-report-set", "sync-token", "current-user-privilege-set")
        more = (f"{C}supported-calendar-component-set", f"{C}calendar-timezone", f"{CS}getctag", f"{ICAL}calendar-color")
        self.list_calendars(self.propfind(home, (*(f"{D}{name}" for name in names), *more), "1"))

    def refresh(self) -> None:
        self.compare(self.ask("REPORT", HERE, query([f"{D}getetag"]), Depth="1"))

    def reread(self, path: str) -> None:
        """It leaves that to whoever uses it, and he polls."""
