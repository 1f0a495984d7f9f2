"""Accounts at Google: consent with PKCE, codes, calendars of our own, busy times; the least that is needed is asked for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from googleapiclient.discovery import build

from gateway.bridge.google.access import Access, Client, credential
from gateway.bridge.google.calendar import GoogleCalendar, asked
from gateway.bridge.google.events import Names, moment
from gateway.bridge.google.wire import Line, Narrow
from gateway.bridge.reach import UNSEEN
from gateway.bridge.remote import CalendarGone, Disconnected, Elsewhere, Grant, Guarded, Remote, RemoteError, Unreachable, Vault
from gateway.bridge.sending import Send
from gateway.links import Provider
from gateway.model import Span

PREFIX = "https://www.googleapis.com/auth/"
OWN = f"{PREFIX}calendar.app.created"
"""A calendar of our own: with this consent alone, Google itself keeps us from everybody else's events (bridge.md §2.9)."""

FREE_BUSY = f"{PREFIX}calendar.freebusy"
EVENTS = f"{PREFIX}calendar.events"
OWNED = f"{PREFIX}calendar.events.owned"
LIST = f"{PREFIX}calendar.calendarlist.readonly"
SIGN_IN = ("openid", "email")

WRITING = frozenset({OWN, OWNED, EVENTS})
"""Without one of these there is nothing that we could do."""

STRETCH, CALENDARS = timedelta(days=60), 50
"""How much one question about busy times may span, and about how many calendars it may be: Google refuses more than about 90 days, which
its documents do not say."""

_MEANT = {
    OWN: "make a calendar for appointments",
    FREE_BUSY: "see when you are busy",
    OWNED: "write appointments into your calendar",
    LIST: "see which calendars you have",
}


class GoogleHouse:
    """`remote.House` for Google. Thread-safe: Google's client only words requests here, and every turn sends through a line of its own.
    (Making the client anew costs 3 ms, measured; that would be half of what a poll costs.)"""

    provider = Provider.GOOGLE

    def __init__(
        self,
        send: Send,
        *,
        client_id: str,
        client_secret: str,
        auth_uri: str,
        token_uri: str,
        revoke_uri: str,
        api_endpoint: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._send = send
        self._clock = clock
        self._client = Client(send=send, client_id=client_id, client_secret=client_secret, token_uri=token_uri)
        self._auth_uri = auth_uri
        self._revoke_uri = revoke_uri
        self._endpoint = api_endpoint.rstrip("/") + "/"
        options = {"api_endpoint": self._endpoint}
        self._service: Any = build(  # Any: the library makes its classes at run time
            "calendar", "v3", http=_Nowhere(), static_discovery=True, cache_discovery=False, client_options=options
        )

    def consent(self, *, state: str, verifier: str, redirect: str, login: str = "", primary: bool = False, others: bool = False) -> str:
        """`prompt=consent`: without it Google gives no refresh token to somebody who has agreed before."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        wish = {
            "client_id": self._client.client_id,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": " ".join(_wanted(primary, others)),
            "access_type": "offline",
            "prompt": "consent",
            "include_granted_scopes": "false",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._auth_uri}?{urlencode(wish | ({'login_hint': login} if login else {}))}"

    def redeem(self, *, code: str, verifier: str, redirect: str, now: datetime) -> Grant:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect,
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
        }
        answer = self._posted(self._client.token_uri, form)
        scopes = tuple(str(answer.get("scope", "")).split())
        refresh = str(answer.get("refresh_token") or "")
        if not refresh:
            raise Disconnected(
                "Google gave no lasting access. Remove this app under “Third-party access” of your account and connect again."
            )
        if not WRITING & set(scopes):
            raise Disconnected("You have not allowed appointments to be written. Please connect again and leave every box ticked.")
        who = _claims(str(answer.get("id_token", "")))
        if not who.get("sub"):
            raise Disconnected("Google does not say whose account it is. Please connect again.")
        wanted = _wanted(OWN not in scopes)
        return Grant(
            login=str(who.get("email", "")),
            subject=str(who["sub"]),
            scopes=scopes,
            credential=credential(refresh, str(answer.get("access_token", "")), now + timedelta(seconds=int(answer.get("expires_in", 0)))),
            missing=tuple(text for scope, text in _MEANT.items() if scope in wanted and scope not in scopes),
        )

    def calendars(self, vault: Vault, now: datetime) -> Sequence[Elsewhere]:
        """Empty where the consent does not reach so far."""
        line = self._line(vault, _nobody)
        found: list[Elsewhere] = []
        page = ""
        while True:
            try:
                answer = asked(line, "calendar", self._service.calendarList().list(**({"pageToken": page} if page else {})))
            except Narrow:
                return found
            for each in answer.get("items") or ():
                writable = each.get("accessRole") == "owner"  # as far as the scope for owned calendars reaches
                title = str(each.get("summaryOverride") or each.get("summary") or "")
                found.append(Elsewhere(id=str(each["id"]), title=title, primary=bool(each.get("primary")), writable=writable))
            page = str(answer.get("nextPageToken") or "")
            if not page:
                return found

    def make_calendar(self, vault: Vault, title: str, zone: str, now: datetime) -> Elsewhere:
        """Calendars have no ids of ours: after half an answer an empty one may be left over there, which harms nobody."""
        line = self._line(vault, _nobody)
        made = asked(line, "calendar", self._service.calendars().insert(body={"summary": title, "timeZone": zone}))
        if "id" not in made:
            raise Unreachable("Google's answer broke off.")
        return Elsewhere(id=str(made["id"]), title=str(made.get("summary", title)), primary=False, writable=True)

    def busy(self, vault: Vault, calendars: Sequence[str], window: Span, now: datetime) -> Sequence[Span]:
        """By Google's own reckoning: events that are free, working locations and birthdays are not in it, being out of office is."""
        line, spans = self._line(vault, _nobody), list[Span]()
        for some in (calendars[first : first + CALENDARS] for first in range(0, len(calendars), CALENDARS)):
            for part in _parts(window):
                wish = {"timeMin": moment(part.start), "timeMax": moment(part.end), "items": [{"id": each} for each in some]}
                told = self._told_busy(line, wish)
                for name in some:
                    spans += _busy(told.get(name) or {})
        return sorted(set(spans))

    def _told_busy(self, line: Line, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """By calendar. Raises CalendarGone where the consent does not reach so far: everything else of the account works."""
        try:
            return asked(line, "calendar", self._service.freebusy().query(body=wish)).get("calendars") or {}
        except Narrow as error:
            raise CalendarGone(UNSEEN) from error

    def open(self, vault: Vault, *, link: str, calendar: str, mark: str, zone: str, calls: Callable[[str], None]) -> Remote:
        return GoogleCalendar(self._service, self._line(vault, calls), calendar, Names(mark=mark, link=link, zone=zone))

    def revoke(self, vault: Vault) -> None:
        token = json.loads(vault.read()).get("refresh_token", "")
        try:
            self._posted(self._revoke_uri, {"token": token})
        except RemoteError:
            return

    def _line(self, vault: Vault, calls: Callable[[str], None]) -> Line:
        return Line(self._send, self._endpoint, Access(self._client, vault, self._clock).bearer, calls)

    def _posted(self, address: str, form: Mapping[str, str]) -> dict[str, Any]:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            status, _, content = self._send("POST", address, headers, urlencode(form).encode())
            answer: Any = json.loads(content) if content else {}
        except (OSError, ValueError) as error:
            raise Unreachable("Google does not answer.") from error
        if status == 200 and isinstance(answer, dict):
            return answer
        if status >= 500 or status == 429:
            raise Unreachable(f"Google is in trouble ({status}).")
        match str(answer.get("error", "")) if isinstance(answer, dict) else "":
            case "invalid_client":
                raise Disconnected("Google does not know this gateway: its client id and secret do not fit. Ask whoever runs the server.")
            case "redirect_uri_mismatch":
                raise Disconnected("This gateway's address is not registered at Google. Ask whoever runs the server.")
        raise Disconnected("The consent was not completed, or is too old. Please connect again.")


class _Nowhere:
    """What Google's client is made with: requests are only ever sent through a line."""

    def request(self, *_: object, **__: object) -> Any:
        raise Guarded("A request that goes round the guards was stopped.")

    def close(self) -> None:
        """Nothing is open."""


def _wanted(primary: bool, others: bool = False) -> tuple[str, ...]:
    """`primary` with `others` reaches as far as both: a person may have one calendar of ours, and one of their own."""
    if primary:
        return (*SIGN_IN, *((OWN,) if others else ()), OWNED, LIST, FREE_BUSY)
    return (*SIGN_IN, OWN, *((LIST,) if others else ()), FREE_BUSY)


def _parts(window: Span) -> Iterator[Span]:
    start = window.start
    while start < window.end:
        yield Span(start, min(start + STRETCH, window.end))
        start += STRETCH


def _busy(told: Mapping[str, Any]) -> list[Span]:
    """Of one calendar. Raises CalendarGone, Unreachable: what cannot be seen is not free."""
    if any(each.get("reason") == "notFound" for each in told.get("errors") or ()):
        raise CalendarGone("That calendar does not exist any more at Google, or may not be looked at.")
    if told.get("errors") or "busy" not in told:
        raise Unreachable("Google does not tell when that calendar is busy.")
    return [Span(_utc(each["start"]), _utc(each["end"])) for each in told["busy"]]


def _nobody(kind: str) -> None:
    """Nobody counts."""


def _claims(token: str) -> dict[str, Any]:
    """What the identity token says. It came over TLS from the token endpoint, which stands for its signature (OIDC Core §3.1.3.7)."""
    try:
        part = token.split(".")[1]
        found: Any = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (LookupError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
