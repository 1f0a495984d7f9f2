"""The page Calendar Sync: feeds, the bidirectional switch with its policies, a switch for each provider (product.md S05–S28)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from gateway.model import Feed, FeedId, OnConflict, OnDelete, Policy, Refusal, Scope
from gateway.post.sample import sample
from gateway.store import Snapshot
from gateway.web.site import health
from gateway.web.site.frame import LETTER, Answer, Ask, Route, Sent, Shown, Went
from gateway.web.site.targets import Targets

PATH = "/settings/external-services/calendar-sync"
AT_ONCE = 50
"""Rows of one page."""

LONGEST_HOLD = 24 * 60
"""Minutes."""

LONGEST_NOTICE = 366 * 24
"""Hours."""

_HOUR = timedelta(hours=1)

TABS: Mapping[str, Scope] = {"staff": Scope.STAFF, "groups": Scope.GROUP, "company": Scope.COMPANY}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """Somebody, or something, and one of its feeds; without a feed one can be made."""

    name: str
    of: str
    scope: Scope
    feed: Feed | None = None
    targets: Targets | None = None


def show(ask: Ask) -> Answer:
    return Shown("sync.html", _values(ask))


def save(ask: Ask) -> Answer:
    """The one form of the page: switches and policies together; what had not changed is not written down as a change."""
    problems: list[str] = []
    with ask.store.write(ask.company, ask.who.actor) as tx:
        company = tx.company
        policy = _policy(ask, company.policy, problems)
        if problems:
            return Shown("sync.html", _values(ask, wanted=policy, problems=problems), 422)
        if policy == company.policy:
            return Went(PATH + "#bidirectional", "unchanged")
        tx.save_company(replace(company, policy=policy))
        tx.audit("settings", "", company.policy.facts(), policy.facts(), ask.now)
    ask.parts.wake()
    return Went(PATH, "saved")


def letter(ask: Ask) -> Answer:
    """A sample of the letter a customer gets about a new time, in the administrator's language."""
    with ask.store.read(ask.company) as snapshot:
        company = snapshot.company
    return Sent(sample(company, ask.language.tag, ask.now, ask.parts.public_url).encode(), "text/html; charset=utf-8", policy=LETTER)


def _policy(ask: Ask, former: Policy, problems: list[str]) -> Policy:
    try:
        minutes = int(ask.field("hold_minutes", "2"))
    except ValueError:
        minutes = -1
    if not 0 <= minutes <= LONGEST_HOLD:
        problems.append(ask.say("Minutes to wait: please give a number from 0 to %(most)s.", most=LONGEST_HOLD))
        minutes = int(former.hold.total_seconds() // 60)
    try:
        choices: dict[str, Any] = {
            "on_delete": OnDelete(ask.field("on_delete", former.on_delete)),
            "on_conflict": OnConflict(ask.field("on_conflict", former.on_conflict)),
            "refusal": Refusal(ask.field("refusal", former.refusal)),
        }
    except ValueError:
        problems.append(ask.say("Please choose one of the answers that are offered."))
        choices = {}
    try:
        hours = float(ask.field("notice_hours", str(former.notice / _HOUR)))
    except ValueError:
        hours = -1
    if not 0 <= hours <= LONGEST_NOTICE:
        problems.append(ask.say("Hours before the start: please give a number from 0 to %(most)s.", most=LONGEST_NOTICE))
        hours = former.notice / _HOUR
    seconds = former.hold.total_seconds()
    return replace(
        former,
        two_way=ask.ticked("bidirectional"),
        google=ask.ticked("google"),
        outlook=ask.ticked("outlook"),
        office365=ask.ticked("office365"),
        resize=ask.ticked("resize"),
        self_service=ask.ticked("self_service"),
        notice=timedelta(minutes=round(hours * 60)),
        hold=former.hold if int(seconds // 60) == minutes else timedelta(minutes=minutes),  # a hold of 90 seconds stays one
        **choices,
    )


def _values(ask: Ask, *, wanted: Policy | None = None, problems: Sequence[str] = ()) -> dict[str, object]:
    tab = ask.query.get("tab", "staff")
    tab = tab if tab in TABS else "staff"
    sought = ask.query.get("q", "").strip()[:100]
    with ask.store.read(ask.company) as snapshot:
        found = [row for row in rows(ask, snapshot, TABS[tab]) if sought.casefold() in row.name.casefold()]
        facts = health.of(ask, snapshot)
        policy = wanted or snapshot.company.policy
    if ask.query.get("sort") == "down":
        found.reverse()
    page = max(1, int(ask.query["page"])) if ask.query.get("page", "").isdecimal() and len(ask.query["page"]) < 7 else 1
    return {
        "tab": tab,
        "q": sought,
        "down": ask.query.get("sort") == "down",
        "rows": found[(page - 1) * AT_ONCE : page * AT_ONCE],
        "number": len(found),
        "page": page,
        "pages": max(1, -(-len(found) // AT_ONCE)),
        "policy": policy,
        "hold_minutes": int(policy.hold.total_seconds() // 60),
        "notice_hours": f"{policy.notice / _HOUR:g}",
        "problems": problems,
        "health": facts,
        "locked": ask.store.locked is not None,
        "providers": ask.parts.providers,
        "agent": ask.agent,
    }


def rows(ask: Ask, snapshot: Snapshot, scope: Scope) -> Iterator[Row]:
    """By name; whoever has several feeds stands there several times."""
    tokens = snapshot.feed_tokens()
    feeds: dict[str | None, list[Feed]] = {}
    for feed in snapshot.feeds():
        if feed.revoked is None and feed.scope is scope:
            feeds.setdefault(feed.of, []).append(feed)
    named: list[tuple[str, str | None]]
    if scope is Scope.STAFF:
        named = [(person.name, str(person.id)) for person in snapshot.all_staff() if person.active]
    elif scope is Scope.GROUP:
        named = [(group.name, str(group.id)) for group in snapshot.groups()]
    else:
        named = [(snapshot.company.name, None)]
    for name, of in sorted(named, key=lambda each: each[0].casefold()):
        for feed in feeds.get(of, ()):
            yield Row(name=name, of=of or "", scope=scope, feed=feed, targets=_targets(ask, name, feed, tokens))
        if of not in feeds:
            yield Row(name=name, of=of or "", scope=scope)


def _targets(ask: Ask, name: str, feed: Feed, tokens: Mapping[FeedId, bytes]) -> Targets | None:
    """None where the address cannot be shown again: it was made elsewhere, or the key is lost."""
    url = feed_url(ask, tokens.get(feed.id, b""))
    return None if url is None else Targets(url=url, name=f"{name} · {feed.label}" if feed.label and feed.label != name else name)


def feed_url(ask: Ask, sealed: bytes) -> str | None:
    if not sealed or ask.parts.sealer is None:
        return None
    return f"{ask.parts.public_url}/feeds/{ask.parts.sealer.unseal(sealed).decode('ascii')}.ics"


ROUTES = (Route("GET", PATH, show), Route("POST", PATH, save), Route("GET", f"{PATH}/letter", letter))
