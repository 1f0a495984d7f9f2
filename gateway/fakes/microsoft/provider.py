"""The addresses of the fake Microsoft, and who answers there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.fakes import keys
from gateway.fakes.chance import Chance
from gateway.fakes.microsoft import access, delta, entra, events, occurrences, person, problems, query, rendering, subscriptions, zones
from gateway.fakes.microsoft.state import CONSUMERS, Folder, Mailbox, MicrosoftKnobs, MicrosoftWorld, Row
from gateway.fakes.provider import Provider
from gateway.fakes.wire import Ask, Json, Reply, Request, Route

API = "/v1.0"
WHOSE = ("/me", "/users/{user}")
INSIDE = ("", "/calendar", "/calendars/{folder}")


class Microsoft(Provider):
    """Microsoft's accounts and mailboxes, without a server."""

    name = "microsoft"

    def __init__(self, world: MicrosoftWorld, clock: Callable[[], datetime]) -> None:
        super().__init__(world, clock)
        self.world = world
        self.routes = [*self._entra(), *self._subscriptions(), *(route for whose in WHOSE for route in self._mailbox(API + whose))]

    @property
    def knobs(self) -> MicrosoftKnobs:
        return self.world.knobs

    @property
    def concurrency(self) -> int:
        return self.world.knobs.concurrency

    def add(self, login: str, *, personal: bool = False) -> Mailbox:
        """A person with a work account of the one tenant, or with a personal one; and the calendar every mailbox has."""
        with self.lock:
            world = self.world
            made = Mailbox(
                login=login,
                oid=world.chance.guid(),
                name=login.partition("@")[0].replace(".", " ").title(),
                tenant=CONSUMERS if personal else world.tenant,
            )
            person.add_folder(world, made, "Calendar", default=True)
            world.mailboxes[login] = made
            return made

    def connect(self, login: str, scopes: list[str]) -> str:
        """The refresh token of a consent as if the person had given it on the page; `scopes` must hold offline_access."""
        with self.lock:
            self.look_at_clock()
            return entra.issue(self.world, login, scopes).refresh

    def problem(self, status: int, reason: str) -> Reply:
        """A reason of digits is the Retry-After of a 429 or 503."""
        if reason.isdigit():
            return problems.reply(status, Retry_After=reason)
        return problems.reply(status, reason)

    def serve(self, route: Route, request: Request, names: dict[str, str]) -> Reply | Ask:
        return route.answer(request, **names)

    def secret(self, path: str) -> bool:
        return "/oauth2/" in path

    def events(self, account: str) -> list[Json]:
        return person.listing(self._of(account))

    def act(self, wish: Json) -> Json:
        return person.act(self.world, self._of(str(wish.get("account", ""))), wish)

    def expire_cursors(self, wish: Json) -> None:
        for mailbox in self.world.mailboxes.values():
            if wish.get("account") in (None, mailbox.login):
                mailbox.epoch += 1

    def revoke(self, wish: Json) -> int:
        ended = [grant for grant in self.world.grants if wish.get("account") in (None, grant.login)]
        for grant in ended:
            entra.end(self.world, grant)
        return len(ended)

    def steer(self, place: str, wish: Json) -> Json:
        """`lifecycle` {"account": …, "event": …}: messages about the subscriptions of a mailbox."""
        if place != "lifecycle":
            return super().steer(place, wish)
        return {"told": subscriptions.lifecycle(self.world, self._of(str(wish.get("account", ""))), str(wish.get("event", "")))}

    def _of(self, login: str) -> Mailbox:
        if login not in self.world.mailboxes:
            raise KeyError(f"account {login}")
        return self.world.mailboxes[login]

    def _entra(self) -> list[Route]:
        world, tenant = self.world, "/{authority}"
        return [
            Route("GET", "/common/discovery/instance", "instance", lambda request: entra.discovery(request)),
            Route("GET", tenant + "/v2.0/.well-known/openid-configuration", "configuration", self._configuration),
            Route("GET", tenant + "/discovery/v2.0/keys", "keys", lambda request, authority: Reply.of(keys.published())),
            Route(
                "GET", tenant + "/oauth2/v2.0/authorize", "authorize", lambda request, authority: entra.authorize(world, authority, request)
            ),
            Route(
                "POST", tenant + "/oauth2/v2.0/decision", "decision", lambda request, authority: entra.decision(world, authority, request)
            ),
            Route("POST", tenant + "/oauth2/v2.0/token", "token", lambda request, authority: entra.token(world, authority, request)),
            Route(
                "GET", tenant + "/adminconsent", "adminconsent", lambda request, authority: entra.admin_consent(world, authority, request)
            ),
        ]

    def _configuration(self, request: Request, authority: str) -> Reply:
        return entra.configuration(self.world, authority, request.base)

    def _subscriptions(self) -> list[Route]:
        every, one = API + "/subscriptions", API + "/subscriptions/{name}"
        return [
            Route("POST", every, "subscriptions.create", self._subscribe),
            Route("GET", every, "subscriptions.list", self._subscribed),
            Route("GET", one, "subscriptions.get", self._subscription),
            Route("PATCH", one, "subscriptions.update", self._renew),
            Route("DELETE", one, "subscriptions.delete", self._unsubscribe),
            Route("POST", one + "/reauthorize", "subscriptions.reauthorize", self._reauthorize),
        ]

    def _mailbox(self, root: str) -> list[Route]:
        routes = [
            Route("GET", root, "me", self._me),
            Route("GET", root + "/calendars", "calendars.list", self._folders),
            Route("POST", root + "/calendars", "calendars.create", self._make),
            Route("GET", root + "/calendar", "calendar.get", self._folder),
            Route("GET", root + "/calendars/{folder}", "calendars.get", self._folder),
            Route("PATCH", root + "/calendars/{folder}", "calendars.update", self._rename),
            Route("DELETE", root + "/calendars/{folder}", "calendars.delete", self._unmake),
            Route("GET", root + "/outlook/supportedTimeZones", "zones", self._zones),
            Route("GET", root + "/outlook/supportedTimeZones()", "zones", self._zones),
        ]
        for standard in ("Windows", "Iana"):
            for name in ("timeZoneStandard", "TimeZoneStandard"):
                address = f"{root}/outlook/supportedTimeZones({name}=microsoft.graph.timeZoneStandard'{standard}')"
                routes.append(Route("GET", address, standard, self._zones))
        for inside in INSIDE:
            routes += self._calendar(root + inside)
        return routes

    def _calendar(self, place: str) -> list[Route]:
        one = place + "/events/{event}"
        return [
            Route("GET", place + "/events", "events.list", self._events),
            Route("POST", place + "/events", "events.create", self._create),
            Route("GET", place + "/calendarView", "calendarView", self._view),
            *(Route("GET", f"{place}/calendarView/{name}", "calendarView.delta", self._view_delta) for name in ("delta", "delta()")),
            *(Route("GET", f"{place}/events/{name}", "events.delta", self._events_delta) for name in ("delta", "delta()")),
            Route("GET", one, "events.get", self._get),
            Route("PATCH", one, "events.update", self._change),
            Route("DELETE", one, "events.delete", self._delete),
            Route("GET", one + "/instances", "events.instances", self._instances),
            Route("GET", one + "/calendar", "events.calendar", self._around),
        ]

    def _at(self, request: Request, names: dict[str, str], scopes: tuple[str, ...]) -> tuple[access.Caller, Mailbox, Folder]:
        """Who asks, whose mailbox, and which calendar in it. Raises Rejected."""
        asking = access.caller(self.world, request)
        mailbox = access.mailbox(self.world, asking, names.get("user", "me"), scopes)
        folder = mailbox.folders.get(names["folder"]) if "folder" in names else mailbox.primary
        if folder is None:
            raise problems.problem(404)
        return asking, mailbox, folder

    def _me(self, request: Request, **names: str) -> Reply:
        _, mailbox, _ = self._at(request, names, (*access.PROFILE, *access.WRITE))
        shown = {
            "@odata.context": f"{request.base}{API}/$metadata#users/$entity",
            "id": mailbox.oid,
            "displayName": mailbox.name,
            "userPrincipalName": mailbox.login,
            "mail": mailbox.login,
        }
        return Reply.of(shown)

    def _folders(self, request: Request, **names: str) -> Reply:
        _, mailbox, _ = self._at(request, names, access.READ)
        return Reply.of(
            {
                "@odata.context": self._context(request, mailbox, "calendars"),
                "value": [rendering.folder(mailbox, each) for each in mailbox.folders.values()],
            }
        )

    def _make(self, request: Request, **names: str) -> Reply:
        _, mailbox, _ = self._at(request, names, access.WRITE)
        name = events.json(request).get("name")
        if not isinstance(name, str) or not name:
            raise problems.problem(400, "ErrorInvalidProperty", "A calendar needs a name.")
        if any(folder.name == name for folder in mailbox.folders.values()):
            raise problems.problem(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        return Reply.of(rendering.folder(mailbox, person.add_folder(self.world, mailbox, name)), 201)

    def _folder(self, request: Request, **names: str) -> Reply:
        _, mailbox, folder = self._at(request, names, access.READ)
        return Reply.of(rendering.folder(mailbox, folder))

    def _rename(self, request: Request, **names: str) -> Reply:
        _, mailbox, folder = self._at(request, names, access.WRITE)
        folder.name = str(events.json(request).get("name") or folder.name)
        folder.change_key = self.world.change_key()
        return Reply.of(rendering.folder(mailbox, folder))

    def _unmake(self, request: Request, **names: str) -> Reply:
        _, mailbox, folder = self._at(request, names, access.WRITE)
        if folder.default:
            raise problems.problem(400, "ErrorDeleteDistinguishedFolder", "The default calendar cannot be deleted.")
        person.act(self.world, mailbox, {"op": "delete_calendar", "id": folder.id})
        return Reply(status=204)

    def _zones(self, request: Request, **names: str) -> Reply:
        self._at(request, names, (*access.PROFILE, *access.READ))
        return Reply.of(
            {
                "@odata.context": f"{request.base}{API}/$metadata#Collection(timeZoneInformation)",
                "value": zones.supported("Iana" if "'Iana'" in request.path else "Windows"),
            }
        )

    def _context(self, request: Request, mailbox: Mailbox, what: str) -> str:
        return f"{request.base}{API}/$metadata#users('{mailbox.oid}')/{what}"

    def _events(self, request: Request, **names: str) -> Reply:
        _, mailbox, folder = self._at(request, names, access.READ)
        rows = [row for row in mailbox.rows.values() if row.calendar == folder.id and not row.master]
        return self._listed(request, mailbox, rows)

    def _view(self, request: Request, **names: str) -> Reply:
        _, mailbox, folder = self._at(request, names, access.READ)
        return self._listed(request, mailbox, query.view(mailbox, folder.id, query.window(request)))

    def _instances(self, request: Request, **names: str) -> Reply:
        _, mailbox, _ = self._at(request, names, access.READ)
        master = events.get(self.world, mailbox, names["event"])
        if not master.series:
            raise problems.problem(400, "ErrorInvalidRequest", "The event is no series master.")
        return self._listed(request, mailbox, list(occurrences.expand(mailbox, master, query.window(request))))

    def _listed(self, request: Request, mailbox: Mailbox, rows: list[Row]) -> Reply:
        knobs = self.world.knobs
        place = f"users('{mailbox.oid}')/events"
        return Reply.of(
            query.listing(request, mailbox, rows, place=place, size=knobs.page_size, empty=knobs.empty_pages), 200, **_applied(request)
        )

    def _view_delta(self, request: Request, **names: str) -> Reply:
        return self._delta(request, names, expand=True)

    def _events_delta(self, request: Request, **names: str) -> Reply:
        return self._delta(request, names, expand=False)

    def _delta(self, request: Request, names: dict[str, str], *, expand: bool) -> Reply:
        _, mailbox, folder = self._at(request, names, access.READ)
        if not self.world.knobs.calendar_delta and not (expand and folder.default):
            raise problems.problem(400, "BadRequest", "Resource not found for the segment 'delta'.")
        return delta.round_of(self.world, mailbox, folder.id, request, expand=expand)

    def _create(self, request: Request, **names: str) -> Reply:
        asking, mailbox, folder = self._at(request, names, access.WRITE)
        liking = rendering.taste(request)
        row, _ = events.create(self.world, mailbox, folder, request, asking.client)
        return self._event(request, mailbox, row, 201, liking)

    def _get(self, request: Request, **names: str) -> Reply:
        _, mailbox, folder = self._at(request, names, access.READ)
        row = events.get(self.world, mailbox, names["event"])
        if "folder" in names and row.calendar != folder.id:
            raise problems.problem(404)
        shown = query.shown(mailbox, row, rendering.taste(request), query.options(request), single=True)
        return Reply.of({"@odata.context": self._context(request, mailbox, "events/$entity"), **shown}, 200, **_applied(request))

    def _around(self, request: Request, **names: str) -> Reply:
        """The calendar that an event lies in; what is deleted lies in none."""
        _, mailbox, _ = self._at(request, names, access.READ)
        row = events.get(self.world, mailbox, names["event"])
        if self.knobs.recoverable and mailbox.bin.get(row.id) is row:
            raise problems.problem(404)
        return Reply.of(rendering.folder(mailbox, mailbox.folders[row.calendar]))

    def _change(self, request: Request, **names: str) -> Reply:
        _, mailbox, _ = self._at(request, names, access.WRITE)
        liking = rendering.taste(request)
        return self._event(request, mailbox, events.change(self.world, mailbox, names["event"], request), 200, liking)

    def _event(self, request: Request, mailbox: Mailbox, row: Row, status: int, liking: rendering.Taste) -> Reply:
        shown = {"@odata.context": self._context(request, mailbox, "events/$entity"), **rendering.event(mailbox, row, liking)}
        return Reply.of(shown, status, **_applied(request))

    def _delete(self, request: Request, **names: str) -> Reply:
        _, mailbox, _ = self._at(request, names, access.WRITE)
        events.delete(self.world, mailbox, names["event"], request)
        return Reply(status=204)

    def _subscribe(self, request: Request) -> Ask:
        asking, wish = access.caller(self.world, request), events.json(request)
        whose, folder = subscriptions.folder_of(str(wish.get("resource") or ""))
        names = {} if whose.lower() == "me" else {"user": whose.partition("/")[2]}
        _, mailbox, found = self._at(request, names | ({"folder": folder} if folder else {}), access.READ)
        immutable = rendering.taste(request).immutable
        creator = mailbox.oid if asking.login else asking.client
        return subscriptions.subscribe(self.world, mailbox, found.id, wish, client=asking.client, creator=creator, immutable=immutable)

    def _subscribed(self, request: Request) -> Reply:
        asking = access.caller(self.world, request)
        mine = [each for each in self.world.subscriptions.values() if each.client == asking.client and asking.login in (None, each.mailbox)]
        return Reply.of(
            {
                "@odata.context": f"{request.base}{API}/$metadata#subscriptions",
                "value": [subscriptions.shown(each) for each in mine if each.until > self.world.now],
            }
        )

    def _subscription(self, request: Request, name: str) -> Reply:
        asking = access.caller(self.world, request)
        return Reply.of(subscriptions.shown(subscriptions.find(self.world, name, asking.client)))

    def _renew(self, request: Request, name: str) -> Reply:
        asking = access.caller(self.world, request)
        found, wish = subscriptions.find(self.world, name, asking.client), events.json(request)
        if wish.get("expirationDateTime") is not None:
            found.until = subscriptions.expiry(self.world, wish["expirationDateTime"])
        found.paused = False
        return Reply.of(subscriptions.shown(found))

    def _reauthorize(self, request: Request, name: str) -> Reply:
        asking = access.caller(self.world, request)
        subscriptions.find(self.world, name, asking.client).paused = False
        return Reply(status=204)

    def _unsubscribe(self, request: Request, name: str) -> Reply:
        asking = access.caller(self.world, request)
        found = subscriptions.find(self.world, name, asking.client)
        del self.world.subscriptions[found.id]
        return Reply(status=204)


def _applied(request: Request) -> dict[str, str]:
    applied = rendering.taste(request).applied
    return {"Preference_Applied": applied} if applied else {}


def microsoft(*, clock: Callable[[], datetime], seed: int, zone: str, client_id: str, client_secret: str) -> Microsoft:
    """A Microsoft with nobody in it, and one tenant."""
    chance = Chance(seed)
    world = MicrosoftWorld(chance=chance, zone=zone, now=clock(), client_id=client_id, client_secret=client_secret, tenant=chance.guid())
    return Microsoft(world, clock)
