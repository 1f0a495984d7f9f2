"""The addresses of the fake Google, and who answers there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.fakes import keys
from gateway.fakes.chance import Chance
from gateway.fakes.google import access, calendars, channels, events, listing, oauth, person, problems, rendering
from gateway.fakes.google.access import Caller
from gateway.fakes.google.state import Account, Calendar, GoogleKnobs, GoogleWorld, Row
from gateway.fakes.provider import Provider, not_modified
from gateway.fakes.wire import Ask, Json, Reply, Request, Route

API = "/calendar/v3"
_EVENT = API + "/calendars/{calendar}/events/{event}"


class Google(Provider):
    """Google's accounts and calendars, without a server."""

    name = "google"

    def __init__(self, world: GoogleWorld, clock: Callable[[], datetime]) -> None:
        super().__init__(world, clock)
        self.world = world
        self.routes = self._open() + self._calendar_routes() + self._event_routes()

    @property
    def knobs(self) -> GoogleKnobs:
        return self.world.knobs

    def add(self, login: str) -> Account:
        """A person with a Google account, known by an address, and the primary calendar that comes with it."""
        with self.lock:
            world = self.world
            account = Account(login=login, name=login.partition("@")[0].replace(".", " ").title(), sub=world.chance.text(21, "0123456789"))
            world.accounts[login] = account
            world.calendars[login] = Calendar(id=login, owner=login, summary=login, zone=world.zone, seq=world.step(), updated=world.now)
            return account

    def connect(self, login: str, scopes: list[str]) -> str:
        """The refresh token of a consent as if the person had given it on the page."""
        with self.lock:
            self.look_at_clock()
            return oauth.issue(self.world, login, scopes).refresh

    def problem(self, status: int, reason: str) -> Reply:
        return problems.reply(status, reason)

    def serve(self, route: Route, request: Request, names: dict[str, str]) -> Reply | Ask:
        return route.answer(request, **names)

    def secret(self, path: str) -> bool:
        return path.startswith(("/o/oauth2", "/token", "/revoke"))

    def events(self, account: str) -> list[Json]:
        if account not in self.world.accounts:
            raise KeyError(f"account {account}")
        return person.listing(self.world, account)

    def act(self, wish: Json) -> Json:
        if wish.get("account") not in self.world.accounts:
            raise KeyError(f"account {wish.get('account')}")
        return person.act(self.world, wish)

    def expire_cursors(self, wish: Json) -> None:
        for account in self.world.accounts.values():
            if wish.get("account") in (None, account.login):
                account.epoch += 1

    def revoke(self, wish: Json) -> int:
        """As the person does in their account's pages."""
        ended = [grant for grant in self.world.grants if wish.get("account") in (None, grant.login)]
        for grant in ended:
            oauth.end(self.world, grant)
        return len(ended)

    def _open(self) -> list[Route]:
        world = self.world
        return [
            Route("GET", oauth.AUTHORIZE, "authorize", lambda request: oauth.authorize(world, request)),
            Route("POST", oauth.DECISION, "decision", lambda request: oauth.decision(world, request)),
            Route("POST", oauth.TOKEN, "token", lambda request: oauth.token(world, request)),
            Route("POST", oauth.REVOKE, "revoke", lambda request: oauth.revoke(world, request)),
            Route("GET", "/oauth2/v3/certs", "certs", lambda request: Reply.of(keys.published())),
            Route("GET", "/v1/userinfo", "userinfo", self._userinfo),
        ]

    def _userinfo(self, request: Request) -> Reply:
        asking = access.caller(self.world, request)
        return Reply.of(oauth.profile(self.world.accounts[asking.login]))

    def _calendar_routes(self) -> list[Route]:
        mine, one = API + "/users/me/calendarList", API + "/calendars/{calendar}"
        return [
            Route("GET", mine, "calendarList.list", self._list),
            Route("GET", mine + "/{calendar}", "calendarList.get", self._entry),
            Route("POST", API + "/calendars", "calendars.insert", self._make),
            Route("GET", one, "calendars.get", self._calendar),
            Route("PATCH", one, "calendars.patch", self._rename),
            Route("DELETE", one, "calendars.delete", self._unmake),
            Route("POST", API + "/freeBusy", "freebusy.query", self._free_busy),
            Route("POST", API + "/channels/stop", "channels.stop", self._stop),
        ]

    def _event_routes(self) -> list[Route]:
        every = API + "/calendars/{calendar}/events"
        return [
            Route("GET", every, "events.list", self._events),
            Route("POST", every, "events.insert", self._insert),
            Route("POST", every + "/import", "events.import", self._import),
            Route("POST", every + "/watch", "events.watch", self._watch),
            Route("GET", _EVENT, "events.get", self._get),
            Route("PATCH", _EVENT, "events.patch", lambda *given, **names: self._change(*given, **names, whole=False)),
            Route("PUT", _EVENT, "events.update", lambda *given, **names: self._change(*given, **names, whole=True)),
            Route("DELETE", _EVENT, "events.delete", self._delete),
            Route("GET", _EVENT + "/instances", "events.instances", self._instances),
            Route("POST", _EVENT + "/move", "events.move", self._move),
        ]

    def _caller(self, request: Request, method: str) -> Caller:
        asking = access.caller(self.world, request)
        access.allowed(asking, method)
        return asking

    def _at(self, request: Request, method: str, name: str) -> tuple[Caller, Calendar]:
        asking = access.caller(self.world, request)
        return asking, access.calendar(self.world, asking, method, name)

    def _list(self, request: Request) -> Reply:
        asking = self._caller(request, "calendarList.list")
        found = calendars.listing(self.world, self.world.accounts[asking.login], request)
        return not_modified(request, Reply.of(found), found["etag"])

    def _entry(self, request: Request, calendar: str) -> Reply:
        asking, found = self._at(request, "calendarList.get", calendar)
        shown = rendering.entry(self.world.accounts[asking.login], found)
        return not_modified(request, Reply.of(shown), shown["etag"])

    def _make(self, request: Request) -> Reply:
        asking = self._caller(request, "calendars.insert")
        return Reply.of(rendering.calendar(calendars.insert(self.world, asking, events.json(request))))

    def _calendar(self, request: Request, calendar: str) -> Reply:
        shown = rendering.calendar(self._at(request, "calendars.get", calendar)[1])
        return not_modified(request, Reply.of(shown), shown["etag"])

    def _rename(self, request: Request, calendar: str) -> Reply:
        found = self._at(request, "calendars.patch", calendar)[1]
        calendars.patch(self.world, found, events.json(request))
        return Reply.of(rendering.calendar(found))

    def _unmake(self, request: Request, calendar: str) -> Reply:
        calendars.delete(self.world, self._at(request, "calendars.delete", calendar)[1])
        return Reply(status=204)

    def _free_busy(self, request: Request) -> Reply:
        asking = self._caller(request, "freebusy.query")
        return Reply.of(calendars.free_busy(self.world, asking, events.json(request)))

    def _stop(self, request: Request) -> Reply:
        self._caller(request, "channels.stop")
        channels.stop(self.world, events.json(request))
        return Reply(status=204)

    def _watch(self, request: Request, calendar: str) -> Reply:
        found = self._at(request, "events.watch", calendar)[1]
        uri = f"{request.base}{API}/calendars/{found.id}/events?alt=json"
        return Reply.of(channels.watch(self.world, found, events.json(request), uri))

    def _events(self, request: Request, calendar: str) -> Reply:
        asking, found = self._at(request, "events.list", calendar)
        shown = listing.events(self.world, self.world.accounts[asking.login].epoch, found, request)
        return not_modified(request, Reply.of(shown), shown["etag"])

    def _insert(self, request: Request, calendar: str) -> Reply:
        asking, found = self._at(request, "events.insert", calendar)
        return self._event(found, events.insert(self.world, asking, found, request))

    def _import(self, request: Request, calendar: str) -> Reply:
        asking, found = self._at(request, "events.import", calendar)
        return self._event(found, events.bring_in(self.world, asking, found, request))

    def _get(self, request: Request, calendar: str, event: str) -> Reply:
        found = self._at(request, "events.get", calendar)[1]
        shown = rendering.event(self.world, found, events.get(found, event), request.first("timeZone"))
        return not_modified(request, Reply.of(shown), shown["etag"])

    def _change(self, request: Request, calendar: str, event: str, *, whole: bool) -> Reply:
        found = self._at(request, "events.update" if whole else "events.patch", calendar)[1]
        return self._event(found, events.change(self.world, found, event, request, whole=whole))

    def _delete(self, request: Request, calendar: str, event: str) -> Reply:
        found = self._at(request, "events.delete", calendar)[1]
        events.delete(self.world, found, event, request)
        return Reply(status=204)

    def _instances(self, request: Request, calendar: str, event: str) -> Reply:
        found = self._at(request, "events.instances", calendar)[1]
        return Reply.of(listing.instances_of(self.world, found, events.get(found, event), request))

    def _move(self, request: Request, calendar: str, event: str) -> Reply:
        found = self._at(request, "events.move", calendar)[1]
        destination = self._at(request, "events.move", request.first("destination"))[1]
        return self._event(destination, events.move(self.world, found, destination, event))

    def _event(self, calendar: Calendar, row: Row) -> Reply:
        shown = rendering.event(self.world, calendar, row)
        return Reply.of(shown, ETag=shown["etag"])


def google(*, clock: Callable[[], datetime], seed: int, zone: str, client_id: str, client_secret: str) -> Google:
    """A Google with nobody in it."""
    world = GoogleWorld(chance=Chance(seed), zone=zone, now=clock(), client_id=client_id, client_secret=client_secret)
    return Google(world, clock)
