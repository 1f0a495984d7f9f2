"""One subscription feed: making it, its settings, its QR code, a new address for it, and its end."""

from __future__ import annotations

import secrets
from dataclasses import replace

from gateway.errors import Invalid, Missing
from gateway.model import Feed, FeedId, Level, Scope
from gateway.store import Snapshot, Transaction, fresh_id
from gateway.web import devices
from gateway.web.problems import Problem
from gateway.web.site import sync
from gateway.web.site.frame import Answer, Ask, Route, Sent, Shown, Went
from gateway.web.site.targets import Targets

ALARMS = (None, 0, 5, 10, 15, 30, 60, 120, 1440)
"""Minutes before the start; None: no alarm."""

LONGEST_DAYS = 3660


def show(ask: Ask) -> Answer:
    with ask.store.read(ask.company) as snapshot:
        return _page(ask, snapshot, _feed(ask, snapshot))


def make(ask: Ask) -> Answer:
    """A feed for a staff member, a group or the company: `scope` and `of`."""
    try:
        scope = Scope(ask.field("scope"))
    except ValueError as error:
        raise Problem(400, ask.say("Please choose whose feed it is.")) from error
    with ask.store.write(ask.company, ask.who.actor) as tx:
        made = _made(ask, tx, scope, ask.field("of") or None)
    return Went(f"/feed/{made.id}", "feed-made")


def make_all(ask: Ask) -> Answer:
    """A feed for every staff member and group that has none, and one for the company."""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        for scope in Scope:
            for row in list(sync.rows(ask, tx, scope)):
                if row.feed is None:
                    _made(ask, tx, scope, row.of or None)
    return Went(sync.PATH, "feeds-made")


def change(ask: Ask) -> Answer:
    """Label, level, window and alarm."""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        former = _feed(ask, tx)
        try:
            new = replace(
                former,
                label=ask.field("label", longest=100),
                level=Level(ask.field("level", former.level)),
                past_days=_days(ask, "past_days"),
                future_days=_days(ask, "future_days"),
                alarm_minutes=_alarm(ask),
            )
        except (ValueError, Invalid) as error:
            trouble = str(error) if isinstance(error, Invalid) else ask.say("Please choose one of the answers that are offered.")
            return _page(ask, tx, former, trouble=trouble)
        if new == former:
            return Went(f"/feed/{former.id}", "unchanged")
        tx.change_feed(new)
        tx.audit("feed", str(new.id), _facts(former), _facts(new), ask.now)
    return Went(f"/feed/{new.id}", "saved")


def renew(ask: Ask) -> Answer:
    """Another address for the same feed; the former one answers 410 at once."""
    with ask.store.write(ask.company, ask.who.actor) as tx:
        former = _feed(ask, tx)
        tx.revoke_feed(former.id, ask.now)
        new = replace(former, id=FeedId(fresh_id()), last_fetched=None, last_agent="")
        _add(ask, tx, new)
        tx.audit("feed-renewed", str(new.id), {"id": former.id}, {"id": new.id}, ask.now)
    return Went(f"/feed/{new.id}", "feed-renewed")


def revoke(ask: Ask) -> Answer:
    with ask.store.write(ask.company, ask.who.actor) as tx:
        feed = _feed(ask, tx)
        tx.revoke_feed(feed.id, ask.now)
        tx.audit("feed-revoked", str(feed.id), _facts(feed), {}, ask.now)
    return Went(sync.PATH, "feed-revoked")


def code(ask: Ask) -> Answer:
    """The address as a QR code; with ?for=apple the one that an iPhone subscribes to."""
    with ask.store.read(ask.company) as snapshot:
        targets = _targets(ask, snapshot, _feed(ask, snapshot))
    if targets is None:
        raise Problem(404, ask.say("The address of this feed cannot be shown again. Make a new address for it."))
    return Sent(devices.code_as_svg(targets.webcal if ask.query.get("for") == "apple" else targets.url), "image/svg+xml")


def _made(ask: Ask, tx: Transaction, scope: Scope, of: str | None) -> Feed:
    """Raises Missing when there is no such staff member or group."""
    if scope is Scope.STAFF and of not in {str(each.id) for each in tx.all_staff()}:
        raise Missing("There is no such member of the staff.")
    if scope is Scope.GROUP and of not in {str(each.id) for each in tx.groups()}:
        raise Missing("There is no such group.")
    feed = Feed(
        id=FeedId(fresh_id()),
        scope=scope,
        of=None if scope is Scope.COMPANY else of,
        label="",
        level=Level.FULL if scope is Scope.STAFF else Level.SERVICE,
    )
    _add(ask, tx, feed)
    tx.audit("feed-made", str(feed.id), {}, _facts(feed), ask.now)
    return feed


def _add(ask: Ask, tx: Transaction, feed: Feed) -> None:
    if ask.parts.sealer is None:
        raise Problem(503, ask.say("No address can be kept here. Ask whoever runs this server to set secrets.key."))
    token = secrets.token_urlsafe(24)
    tx.add_feed(feed, token, ask.parts.sealer.seal(token.encode()), ask.now)


def _feed(ask: Ask, snapshot: Snapshot) -> Feed:
    found = next((each for each in snapshot.feeds() if each.id == ask.match["feed"] and each.revoked is None), None)
    if found is None:
        raise Problem(404, ask.say("There is no such feed, or it has been revoked. The list of feeds is on the page Calendar Sync."))
    return found


def _targets(ask: Ask, snapshot: Snapshot, feed: Feed) -> Targets | None:
    url = sync.feed_url(ask, snapshot.feed_tokens().get(feed.id, b""))
    return None if url is None else Targets(url=url, name=_whose(snapshot, feed))


def _whose(snapshot: Snapshot, feed: Feed) -> str:
    if feed.scope is Scope.COMPANY or feed.of is None:
        return snapshot.company.name
    named = {str(person.id): person.name for person in snapshot.all_staff()} | {str(team.id): team.name for team in snapshot.groups()}
    return named.get(feed.of, "")


def _page(ask: Ask, snapshot: Snapshot, feed: Feed, trouble: str = "") -> Shown:
    values = {
        "feed": feed,
        "whose": _whose(snapshot, feed),
        "targets": _targets(ask, snapshot, feed),
        "levels": list(Level),
        "alarms": ALARMS,
        "trouble": trouble,
        "agent": ask.agent,
    }
    return Shown("feed.html", values, 422 if trouble else 200)


def _days(ask: Ask, name: str) -> int:
    value = ask.field(name)
    if not value.isdecimal() or not 0 <= int(value[:6]) <= LONGEST_DAYS:
        raise Invalid(ask.say("Days: please give a number from 0 to %(most)s.", most=LONGEST_DAYS), field=name)
    return int(value)


def _alarm(ask: Ask) -> int | None:
    value = ask.field("alarm")
    chosen = int(value) if value else None
    if chosen not in ALARMS:
        raise ValueError(value)
    return chosen


def _facts(feed: Feed) -> dict[str, object]:
    return {
        "scope": feed.scope.value,
        "of": feed.of,
        "label": feed.label,
        "level": feed.level.value,
        "past_days": feed.past_days,
        "future_days": feed.future_days,
        "alarm_minutes": feed.alarm_minutes,
    }


ROUTES = (
    Route("POST", "/feed", make),
    Route("POST", "/feed/all", make_all),
    Route("GET", "/feed/{feed}", show),
    Route("POST", "/feed/{feed}", change),
    Route("POST", "/feed/{feed}/renew", renew),
    Route("POST", "/feed/{feed}/revoke", revoke),
    Route("GET", "/feed/{feed}/code.svg", code),
)
