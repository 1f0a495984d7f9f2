"""Devices that are told of changes: registering them, and noting what they have to be told of (draft-bitfire-webdav-push)."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.model import CalendarId, Revision, StaffId
from gateway.store.codec import micros
from gateway.store.credentials import fresh_id
from gateway.store.reading import Reading, several
from gateway.store.values import Collection, Registration, Touch
from gateway.store.writing import Writing

READER = "push"
"""The name of the reader that follows the log for devices."""

_KNOWN = text("""
    SELECT id FROM registration WHERE company = :company AND staff = :staff AND owner = :owner AND slug = :slug AND resource = :resource
""")
_COUNT = text("SELECT COUNT(*) AS registered FROM registration WHERE company = :company AND staff = :staff")
_ANY = text("SELECT 1 FROM registration WHERE company = :company LIMIT 1")
_REGISTER = text("""
    INSERT INTO registration (company, id, staff, credential, owner, slug, calendar, topic, resource, sealed, contents, properties,
        expires, told, rests_until, fence, attempts, refused)
    VALUES (:company, :id, :staff, :credential, :owner, :slug, :calendar, :topic, :resource, :sealed, :contents, :properties,
        :expires, :told, 0, 0, 0, 0)
    ON CONFLICT (company, staff, owner, slug, resource) DO UPDATE SET credential = excluded.credential, calendar = excluded.calendar,
        topic = excluded.topic, sealed = excluded.sealed, contents = excluded.contents, properties = excluded.properties,
        expires = excluded.expires, fence = registration.fence + 1, attempts = 0, refused = 0, failing = NULL,
        due = CASE WHEN registration.due IS NULL THEN NULL ELSE :now END
""")
_EVICT = text("""
    DELETE FROM registration WHERE company = :company AND id IN (
        SELECT id FROM registration WHERE company = :company AND staff = :staff AND id <> :id ORDER BY expires, id LIMIT :count
    )
""")
_UNREGISTER = text("DELETE FROM registration WHERE company = :company AND staff = :staff AND id = :id AND expires > :now")
_TOUCHES = text("""
    SELECT revision, calendar, CASE WHEN entry IS NULL THEN 0 ELSE 1 END AS entry, appointment
    FROM change WHERE company = :company AND revision > :after ORDER BY revision LIMIT :limit
""")
_UNHEARD = text("SELECT revision, registration FROM unheard WHERE company = :company AND revision > :after")
_HEARD = text("DELETE FROM unheard WHERE company = :company AND revision <= :upto")
_TEAMS = text("""
    SELECT DISTINCT t.slug FROM calendar c
    JOIN member m ON m.company = c.company AND m.staff = c.staff
    JOIN team t ON t.company = m.company AND t.id = m.team
    WHERE c.company = :company AND c.id IN :calendars
""").bindparams(several("calendars"))

# What is due stays due then: after a failure it waits, and while a message is on its way the next one begins when that has ended.
_NEWS = """
    UPDATE registration SET due = CASE WHEN due IS NOT NULL THEN due WHEN rests_until > :soon THEN rests_until ELSE :soon END,
        contents_at = CASE WHEN contents = 1 THEN :revision ELSE contents_at END,
        properties_at = CASE WHEN properties = 1 AND :properties = 1 THEN :revision ELSE properties_at END
    WHERE company = :company AND (contents = 1 OR (properties = 1 AND :properties = 1)) AND id NOT IN :unheard AND
"""
_NEWS_OF_CALENDARS = text(_NEWS + "calendar IN :calendars").bindparams(several("calendars"), several("unheard"))
_NEWS_OF_VIEWS = text(_NEWS + "calendar IS NULL AND slug IN :slugs").bindparams(several("slugs"), several("unheard"))
_NEWS_OF_ALL_VIEWS = text(_NEWS + "calendar IS NULL").bindparams(several("unheard"))


class Registrations(Reading):
    """What is known of devices."""

    def has_registrations(self) -> bool:
        return self._one(_ANY) is not None


class Registering(Writing, Registrations):
    """Devices come and go, and have news."""

    def register(self, device: Registration, collection: Collection, now: datetime, *, at_most: int) -> str:
        """The id of its registration. The same device and collection again: the same registration, with what holds from now on, and
        with the news it waits for.

        Of one person's registrations those that expire first give way when there are more than `at_most`: a device that comes with
        a new address every time leaves its old ones behind.
        """
        if not self.has_registrations():
            self.advance(READER, self.revision)  # nobody has looked, and nobody needs to
        which: dict[str, Any] = {
            "staff": device.staff,
            "owner": device.owner,
            "slug": device.slug,
            "resource": device.resource,
        }
        known = self._one(_KNOWN, **which)
        which["id"] = str(known.id) if known is not None else fresh_id()
        self._run(
            _REGISTER,
            **which,
            credential=device.credential,
            calendar=None if collection.view else collection.calendars[0],
            topic=device.topic,
            sealed=device.sealed,
            contents=int(device.contents),
            properties=int(device.properties),
            expires=micros(device.expires),
            told=self.revision,
            now=micros(now),
        )
        found = self._one(_COUNT, staff=device.staff)
        if found is not None and found.registered > at_most:
            self._run(_EVICT, staff=device.staff, id=which["id"], count=found.registered - at_most)
        return str(which["id"])

    def unregister(self, staff: StaffId, id: str, now: datetime) -> bool:
        """False when that member of the staff has no registration of that id, or not any more."""
        return self._run(_UNREGISTER, staff=staff, id=id, now=micros(now)) == 1

    def touches(self, after: Revision, *, limit: int) -> Sequence[Touch]:
        """What the log says after that revision, the first `limit` lines of it."""
        unheard: dict[int, set[str]] = {}
        for row in self._all(_UNHEARD, after=after):
            unheard.setdefault(row.revision, set()).add(row.registration)
        return [
            Touch(
                revision=Revision(row.revision),
                calendar=CalendarId(row.calendar),
                entry=bool(row.entry),
                team=bool(row.appointment),
                unheard=frozenset(unheard.get(row.revision, ())),
            )
            for row in self._all(_TOUCHES, after=after, limit=limit)
        ]

    def heard(self, upto: Revision) -> None:
        """Whatever was unheard up to there has been looked at."""
        self._run(_HEARD, upto=upto)

    def news_of_calendars(
        self, calendars: Several[CalendarId], upto: Revision, soon: datetime, *, properties: bool, unheard: Several[str]
    ) -> None:
        """Whoever looks at one of them has to be told, from `soon` on; of their properties too, if `properties`."""
        self._run(_NEWS_OF_CALENDARS, calendars=sorted(calendars), **_news(upto, soon, properties, unheard))

    def news_of_teams(self, calendars: Several[CalendarId], upto: Revision, soon: datetime, *, unheard: Several[str]) -> None:
        """The same of whoever looks at a view that shows one of them."""
        slugs = ["company", *(f"group-{row.slug}" for row in self._all(_TEAMS, calendars=sorted(calendars)))]
        self._run(_NEWS_OF_VIEWS, slugs=slugs, **_news(upto, soon, False, unheard))

    def news_of_views(self, upto: Revision, soon: datetime, *, unheard: Several[str]) -> None:
        """The same of whoever looks at any view: who is shown there may have changed, or how it looks."""
        self._run(_NEWS_OF_ALL_VIEWS, **_news(upto, soon, True, unheard))


def _news(upto: Revision, soon: datetime, properties: bool, unheard: Several[str]) -> dict[str, Any]:
    return {"revision": upto, "soon": micros(soon), "properties": int(properties), "unheard": sorted(unheard)}
