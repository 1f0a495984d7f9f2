"""Who signs in at the tests' door, and a browser of theirs that is no browser: it keeps a cookie and fills in forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from gateway import passwords
from gateway.model import CompanyId
from gateway.store import Store
from gateway.users import Role, User, UserId
from tests.journey.wire import Answer
from tests.web.house import EMMA, JOHN, NOW, SETUP, TAYLOR, Door

PASSWORD = "four unusual words make one"
BOSS = User(id=UserId("boss"), role=Role.ADMIN, name="Demo administrator", email="admin@example.com")
JOHNS = User(id=UserId("user-john"), role=Role.STAFF, name=JOHN.name, email=JOHN.email, staff=JOHN.id)
EMMAS = User(id=UserId("user-emma"), role=Role.STAFF, name=EMMA.name, email=EMMA.email, staff=EMMA.id, locale="fr")
RIVAL = User(id=UserId("rival"), role=Role.ADMIN, name="Other administrator", email="admin@other.example.com", staff=TAYLOR.id)

_KEPT = passwords.hashed(PASSWORD)


def welcome(store: Store) -> None:
    """Users of both companies, all with one password."""
    for company, users in {"demo": (BOSS, JOHNS, EMMAS), "other": (RIVAL,)}.items():
        with store.write(CompanyId(company), SETUP) as tx:
            for user in users:
                tx.save_user(user)
                tx.set_password(user.id, _KEPT, NOW)


@dataclass
class Visitor:
    """Somebody at the door. Headers are those a browser sends with a form of our own page."""

    door: Door
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Sec_Fetch_Site": "same-origin", "Origin": "https://calendar.example.com"})

    def get(self, path: str, **headers: str) -> Answer:
        return self.door.ask("GET", path, **self._cookies(), Accept="text/html", **headers)

    def post(self, path: str, form: dict[str, str | list[str]] | None = None, **headers: str) -> Answer:
        """The form as it is given, without the token our own pages put in."""
        sent = {"Content_Type": "application/x-www-form-urlencoded", "Accept": "text/html", **self.headers, **self._cookies(), **headers}
        answer = self.door.ask("POST", path, urlencode(form or {}, doseq=True), **sent)
        found = re.match(r"(?:__Host-)?gateway-session=([^;]*)", answer.headers.get("set-cookie", ""))
        if found is not None:
            self.cookie = found[1].strip('"')
        return answer

    def fill(self, page: str, form: dict[str, str | list[str]] | None = None, to: str | None = None) -> Answer:
        """Send a form of the page, with its token, to `to` or back to the page itself."""
        token = re.search(r'name="form_token" value="([^"]+)"', self.get(page).text)
        assert token is not None, f"no form on {page}"
        return self.post(to or page, {"form_token": token[1], **(form or {})})

    def sign_in(self, user: User, password: str = PASSWORD) -> Answer:
        return self.post("/sign-in", {"email": user.email, "password": password})

    def _cookies(self) -> dict[str, str]:
        return {"Cookie": f"__Host-gateway-session={self.cookie}"} if self.cookie else {}
