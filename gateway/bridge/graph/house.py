"""Accounts at Microsoft: consent with PKCE, calendars, busy times. One house for each kind of account."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msal

from gateway.bridge.graph.access import SCOPES, SIGN_IN, Access, Office, Tokens, kept_as, mailbox_of
from gateway.bridge.graph.calendar import GraphCalendar
from gateway.bridge.graph.events import UNREADABLE, Json, busy, moment
from gateway.bridge.graph.names import Names
from gateway.bridge.graph.problems import Asked
from gateway.bridge.graph.wire import Line
from gateway.bridge.remote import CalendarGone, Disconnected, Elsewhere, Gone, Grant, Rejected, Unreachable, Vault
from gateway.bridge.sending import Send
from gateway.links import Provider
from gateway.model import Span

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal accounts."""

TOO_OLD = "The consent was not completed, or is too old. Please connect again."
_KINDS = {Provider.OUTLOOK: "consumers", Provider.OFFICE365: "organizations"}
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_PAGES = 1000


class GraphHouse:
    """`remote.House` for Outlook.com or Microsoft 365. Thread-safe."""

    def __init__(
        self,
        provider: Provider,
        send: Send,
        *,
        client_id: str,
        client_secret: str,
        authority: str,
        instance_discovery: bool,
        graph_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        """`authority` ends with "common", or with the one organisation whose work accounts are taken."""
        place, _, tenant = authority.rstrip("/").rpartition("/")
        single = provider is Provider.OFFICE365 and tenant not in ("common", *_KINDS.values())
        self.provider = provider
        self._clock = clock
        self._send = send
        self._graph = graph_url.rstrip("/")
        self._office = Office(
            send=send,
            client_id=client_id,
            client_secret=client_secret,
            place=place,
            tenant=tenant if single else _KINDS[provider],
            discovery=instance_discovery,
        )
        self._tokens = Tokens(self._office, graph_url, clock)

    def consent(self, *, state: str, verifier: str, redirect: str, login: str = "", primary: bool = False, others: bool = False) -> str:
        """At Microsoft the same consent reaches all of the person's calendars; we make one of our own unless asked otherwise."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": self._office.client_id,
            "response_type": "code",
            "redirect_uri": redirect,
            "response_mode": "query",
            "scope": " ".join((*SIGN_IN, *SCOPES)),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "nonce": hashlib.sha256(_nonce(verifier).encode()).hexdigest(),
            "prompt": "select_account",
        }
        return f"{self._office.authority}/oauth2/v2.0/authorize?{urlencode(asked | ({'login_hint': login} if login else {}))}"

    def redeem(self, *, code: str, verifier: str, redirect: str, now: datetime) -> Grant:
        cache = msal.SerializableTokenCache()
        flow = {
            "state": "kept",
            "redirect_uri": redirect,
            "scope": [*SIGN_IN, *SCOPES],
            "code_verifier": verifier,
            "nonce": _nonce(verifier),
        }
        told = {"code": code, "state": "kept"}  # whose state it is has been looked at before: it is ours, and used up
        answer = self._office.said(
            lambda: self._office.application(cache).acquire_token_by_auth_code_flow(flow, told, scopes=list(SCOPES)), TOO_OLD
        )
        claims: Mapping[str, Any] = answer.get("id_token_claims") or {}
        if claims.get("aud") != self._office.client_id:
            raise Disconnected(TOO_OLD)
        self._right_kind(str(claims.get("tid", "")))
        scopes = tuple(str(answer.get("scope", "")).split())
        if not any(scope.endswith("Calendars.ReadWrite") for scope in scopes):
            raise Disconnected("You have not allowed appointments to be written. Please connect again and accept everything.")
        return Grant(
            login=str(claims.get("preferred_username") or ""),
            subject=f"{claims.get('tid', '')}.{claims.get('oid') or claims.get('sub') or ''}",
            scopes=scopes,
            credential=kept_as(cache, str(answer["access_token"]), now + timedelta(seconds=int(answer.get("expires_in") or 0))),
        )

    def _right_kind(self, tenant: str) -> None:
        if self.provider is Provider.OFFICE365 and tenant == PERSONAL:
            raise Disconnected("This is a personal account. Please use the button “Outlook.com”.")
        if self.provider is Provider.OUTLOOK and tenant != PERSONAL:
            raise Disconnected("This is an account of an organisation. Please use the button “Microsoft 365”.")

    def admin_consent(self, *, state: str, redirect: str, tenant: str = "") -> str:
        """The address at which an administrator of Microsoft 365 agrees for the whole organisation, and opens its mailboxes to us.

        Application permission Calendars.ReadWrite; which mailboxes it reaches is limited there, by RBAC for Applications. What comes
        back in `tenant` is for `enter`.
        """
        asked = urlencode({"client_id": self._office.client_id, "state": state, "redirect_uri": redirect})
        return f"{self._office.place}/{tenant or 'organizations'}/adminconsent?{asked}"

    def enter(self, tenant: str, login: str, now: datetime) -> Grant:
        """A mailbox of an organisation whose administrator has agreed, without its owner's own consent: /users/{login} instead of /me.

        Raises Disconnected with a sentence that says whether the organisation, its consent or the mailbox is missing.
        """
        if self.provider is not Provider.OFFICE365:
            raise Disconnected("Personal accounts have no administrator: each person connects their own.")
        if not _TENANT.fullmatch(tenant) or tenant.lower() in ("common", *_KINDS.values()):
            raise Disconnected("Please name the organisation by its id or its domain.")
        self._tokens.of(tenant, renew=True)  # one from before the administrator's consent would not reach any mailbox
        line = self._line(Access(self._office, self._tokens, _Fixed(mailbox_of(tenant, login)), self._clock), _nobody)
        try:
            line.get(f"/users/{quote(login, safe='')}/calendar", "event")
        except (Rejected, Gone, CalendarGone) as error:
            raise Disconnected(f"The mailbox {login} is not open to this app: {error}", admin=True) from error
        return Grant(login=login, subject=f"{tenant}.{login.lower()}", scopes=(".default",), credential=mailbox_of(tenant, login))

    def calendars(self, vault: Vault, now: datetime) -> Sequence[Elsewhere]:
        access = self._access(vault)
        return [
            Elsewhere(
                id=str(each["id"]),
                title=str(each.get("name") or ""),
                primary=bool(each.get("isDefaultCalendar")),
                writable=bool(each.get("canEdit", True)),
            )
            for each in self._listed(self._line(access, _nobody), f"{access.root}/calendars?$top=100", "calendar")
        ]

    def make_calendar(self, vault: Vault, title: str, zone: str, now: datetime) -> Elsewhere:
        """A calendar of that name that is there already is taken: names are unique in a mailbox.

        Its id is read from the list: the one that is told first has been seen to change.
        """
        former = self._named(vault, title, now)
        if former is not None:
            return former
        access = self._access(vault)
        made = self._line(access, _nobody).post(f"{access.root}/calendars", {"name": title}, "calendar")
        if "id" not in made:
            raise Unreachable("Microsoft's answer is not understood.")
        told = Elsewhere(id=str(made["id"]), title=str(made.get("name") or title), primary=False, writable=True)
        return self._named(vault, told.title, now) or told

    def _named(self, vault: Vault, title: str, now: datetime) -> Elsewhere | None:
        return next((each for each in self.calendars(vault, now) if each.title == title and each.writable), None)

    def busy(self, vault: Vault, calendars: Sequence[str], window: Span, now: datetime) -> Sequence[Span]:
        access = self._access(vault)
        line, spans = self._line(access, _nobody), set[Span]()
        for calendar in calendars:
            place = f"{access.root}/calendars/{quote(calendar, safe='')}/calendarView"
            asked = f"?startDateTime={moment(window.start)}&endDateTime={moment(window.end)}&$top=200"
            try:
                spans |= set(busy(list(self._listed(line, f"{place}{asked}&$select={_BUSY}", "list"))))
            except UNREADABLE as error:
                raise Unreachable("Microsoft's answer is not understood.") from error
        return sorted(spans)

    def open(self, vault: Vault, *, link: str, calendar: str, mark: str, zone: str, calls: Callable[[str], None]) -> GraphCalendar:
        access = self._access(vault)
        return GraphCalendar(self._line(access, calls), calendar, Names(mark=mark, link=link, zone=zone), access.root)

    def revoke(self, vault: Vault) -> None:
        """Microsoft has no address for it: forgetting the tokens is all that can be done from here."""

    def _listed(self, line: Line, address: str, of: Asked) -> Iterator[Json]:
        """Every item of all pages. Raises Unreachable when they do not end."""
        for _ in range(_PAGES):
            answer = line.get(address, of)
            yield from answer.get("value") or ()
            address = str(answer.get("@odata.nextLink") or "")
            if not address:
                return
        raise Unreachable("Microsoft's listing does not end.")

    def _access(self, vault: Vault) -> Access:
        return Access(self._office, self._tokens, vault, self._clock)

    def _line(self, access: Access, calls: Callable[[str], None]) -> Line:
        return Line(self._send, self._graph, access.bearer, calls)


_BUSY = "start,end,isAllDay,showAs,isCancelled,originalStartTimeZone"


class _Fixed:
    """A credential that nobody keeps yet."""

    def __init__(self, credential: bytes) -> None:
        self._credential = credential

    def read(self) -> bytes:
        return self._credential

    def keep(self, credential: bytes) -> None:
        """It does not change."""


def _nonce(verifier: str) -> str:
    """What ties the identity token to this consent; msal compares its SHA-256 with what the token says."""
    return hashlib.sha256(b"nonce " + verifier.encode()).hexdigest()[:32]


def _nobody(kind: str) -> None:
    """Nobody counts."""
