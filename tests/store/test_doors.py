"""What opens doors: app passwords, API keys, feed tokens and questions, of which only digests are kept; and answers given before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Conflict, Missing
from gateway.model import EntryId, Feed, FeedId, Group, GroupId, Level, Scope, StaffId
from gateway.store import Login, fresh_id
from gateway.store.connection import LISTENERS
from tests.databases import Database
from tests.store.house import DAY, DEMO, EMMA, FRONT, HOUR, JOHN, NOW, OTHER, SETUP, TAYLOR, Place, booking

SECRET = "canary-correct-horse-battery-staple"
TOKEN = "token"
ODD = "Pä𝒳 wörd:with%strange' chars"
MINUTE = timedelta(minutes=1)


def password(place: Place, secret: str = SECRET, staff: StaffId = JOHN.id, *, read_only: bool = False) -> str:
    with place.store.write(place.company, SETUP) as tx:
        return tx.add_app_password(staff, "phone", secret, NOW, read_only=read_only)


def key(place: Place, secret: str = SECRET) -> str:
    with place.store.write(place.company, SETUP) as tx:
        return tx.add_api_key("website", secret, NOW)


def feed(place: Place, token: str = TOKEN, **more: object) -> Feed:
    facts = {"id": FeedId(fresh_id()), "scope": Scope.STAFF, "of": JOHN.id, "label": "Mine", "level": Level.FULL} | more
    made = Feed(**facts)
    with place.store.write(place.company, SETUP) as tx:
        tx.add_feed(made, token, b"\x00sealed", NOW)
    return made


class TestAppPasswords:
    @pytest.mark.parametrize("login", [JOHN.handle, JOHN.handle.upper(), JOHN.email, "John.Smith@Example.COM"])
    @pytest.mark.parametrize("secret", [SECRET, ODD])
    def test_one_logs_in_by_handle_or_address_in_any_case(self, place: Place, login: str, secret: str) -> None:
        issued = password(place, secret)
        found = place.store.login_by_app_password(login, secret, NOW)
        assert found == Login(company=DEMO, staff=JOHN.id, handle=JOHN.handle, credential=issued, read_only=False)

    def test_a_password_may_be_for_reading_only(self, place: Place) -> None:
        password(place, read_only=True)
        found = place.store.login_by_app_password(JOHN.handle, SECRET, NOW)
        assert found is not None
        assert found.read_only

    @pytest.mark.parametrize(
        ("login", "secret"),
        [
            (JOHN.handle, SECRET + " "),
            (JOHN.handle, SECRET[:-1]),
            (JOHN.handle, SECRET.upper()),
            (JOHN.handle, ""),
            (EMMA.handle, SECRET),
            (TAYLOR.handle, SECRET),
            ("", SECRET),
            ("nobody", SECRET),
            ("%", SECRET),
            ("john_smith", SECRET),
            ("x' OR '1'='1", SECRET),
            ("𝒳", "𝒳"),
        ],
    )
    def test_nothing_else_opens_the_door(self, place: Place, login: str, secret: str) -> None:
        password(place)
        password(place, "of emma", EMMA.id)
        assert place.store.login_by_app_password(login, secret, NOW) is None

    def test_every_device_has_a_password_of_its_own(self, place: Place) -> None:
        ids = [password(place, secret) for secret in ("first", "second")]
        assert len(set(ids)) == 2
        for issued, secret in zip(ids, ("first", "second"), strict=True):
            found = place.store.login_by_app_password(JOHN.handle, secret, NOW)
            assert found is not None
            assert found.credential == issued

    def test_a_revoked_password_is_refused_at_once_and_the_others_stay(self, place: Place) -> None:
        first, _ = password(place, "first"), password(place, "second")
        assert place.store.login_by_app_password(JOHN.handle, "first", NOW) is not None
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_app_password(first, NOW + HOUR)
        assert place.store.login_by_app_password(JOHN.handle, "first", NOW) is None
        assert place.store.login_by_app_password(JOHN.handle, "second", NOW) is not None

    def test_who_works_here_no_more_is_refused_at_once(self, place: Place) -> None:
        password(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(JOHN, active=False))
        for login in (JOHN.handle, JOHN.email):
            assert place.store.login_by_app_password(login, SECRET, NOW) is None
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(JOHN)
        assert place.store.login_by_app_password(JOHN.handle, SECRET, NOW) is not None

    def test_a_new_address_counts_and_the_old_one_no_more(self, place: Place) -> None:
        password(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(JOHN, email="new@example.com"))
        assert place.store.login_by_app_password(JOHN.email, SECRET, NOW) is None
        assert place.store.login_by_app_password("new@example.com", SECRET, NOW) is not None

    def test_the_same_address_in_two_companies_leads_each_to_their_own(self, place: Place, neighbour: Place) -> None:
        with place.store.write(OTHER, SETUP) as tx:
            tx.save_staff(replace(TAYLOR, email=JOHN.email))
        password(place, "of john")
        password(neighbour, "of taylor", TAYLOR.id)
        for secret, company in (("of john", DEMO), ("of taylor", OTHER)):
            found = place.store.login_by_app_password(JOHN.email, secret, NOW)
            assert found is not None
            assert found.company == company

    def test_the_list_tells_what_became_of_each(self, place: Place) -> None:
        first = password(place, "first")
        with place.store.write(DEMO, SETUP) as tx:
            second = tx.add_app_password(JOHN.id, "laptop", "second", NOW + HOUR, read_only=True)
            tx.add_app_password(EMMA.id, "hers", "hers", NOW)
        place.store.login_by_app_password(JOHN.handle, "first", NOW + DAY + timedelta(seconds=40))
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_app_password(first, NOW + 2 * DAY)
        with place.store.read(DEMO) as snapshot:
            old, new = snapshot.app_passwords(JOHN.id)
        assert (old.id, old.label, old.created, old.revoked, old.read_only) == (first, "phone", NOW, NOW + 2 * DAY, False)
        assert old.last_used is not None
        assert NOW + DAY <= old.last_used <= NOW + DAY + MINUTE
        assert (new.id, new.label, new.created, new.revoked, new.read_only) == (second, "laptop", NOW + HOUR, None, True)
        assert new.last_used is None

    def test_the_last_use_moves_with_the_minutes(self, place: Place) -> None:
        password(place)
        for minutes in (0, 5, 10):
            place.store.login_by_app_password(JOHN.handle, SECRET, NOW + minutes * MINUTE)
            with place.store.read(DEMO) as snapshot:
                [one] = snapshot.app_passwords(JOHN.id)
            assert one.last_used is not None
            assert abs(one.last_used - (NOW + minutes * MINUTE)) <= MINUTE

    def test_a_password_of_another_company_cannot_be_revoked(self, place: Place, neighbour: Place) -> None:
        issued = password(place)
        try:
            with place.store.write(OTHER, SETUP) as tx:
                tx.revoke_app_password(issued, NOW)
        except Missing:
            pass
        assert place.store.login_by_app_password(JOHN.handle, SECRET, NOW) is not None

    def test_an_unknown_name_takes_the_same_work_as_a_wrong_password(self, place: Place) -> None:
        password(place)
        work: dict[str, list[str]] = {}

        def note(statement: str) -> None:
            asked.append(statement)

        LISTENERS.append(note)
        try:
            for login in (JOHN.handle, JOHN.email, EMMA.handle, "nobody", "nobody@example.com"):
                asked: list[str] = []
                assert place.store.login_by_app_password(login, "wrong", NOW) is None
                work[login] = asked
        finally:
            LISTENERS.remove(note)
        assert all(statements == work[JOHN.handle] for statements in work.values())
        assert work[JOHN.handle]


class TestOneCalendar:
    def test_a_password_may_be_for_one_calendar(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            tx.add_app_password(JOHN.id, "phone", SECRET, NOW, calendar="company")
        found = place.store.login_by_app_password(JOHN.handle, SECRET, NOW)
        assert found is not None
        assert found.calendar == "company"
        with place.store.read(DEMO) as snapshot:
            assert [each.calendar for each in snapshot.app_passwords(JOHN.id)] == ["company"]

    def test_through_it_nothing_else_is_seen(self, place: Place) -> None:
        login = Login(company=DEMO, staff=JOHN.id, handle=JOHN.handle, credential="x", calendar="company")
        narrow = place.store.narrowed(login)
        for opened in (narrow.read(DEMO), narrow.write(DEMO, SETUP)):
            with opened as snapshot:
                assert [each.slug for each in snapshot.collections(JOHN.id)] == ["company"]
                assert snapshot.collection(JOHN.id, "appointments") is None
                assert snapshot.collections(EMMA.id) == []
                assert snapshot.collection(EMMA.id, "company") is None
                assert [person.id for person in snapshot.all_staff()] == [JOHN.id]
                with pytest.raises(Missing):
                    snapshot.staff_by_handle(EMMA.handle)
        with place.store.read(DEMO) as snapshot:
            assert len(snapshot.collections(JOHN.id)) > 1

    def test_a_login_for_everything_sees_everything(self, place: Place) -> None:
        assert place.store.narrowed(Login(company=DEMO, staff=JOHN.id, handle=JOHN.handle, credential="x")) is place.store


class TestMarks:
    """The list by which wrong guesses are told without a look at the database."""

    def test_what_is_in_force_fits_and_nothing_else(self, place: Place) -> None:
        password(place, "a password")
        key(place, "a key")
        feed(place, "a token")
        for kind, secret in (("app_password", "a password"), ("api_key", "a key"), ("feed", "a token")):
            assert place.store.may_fit(kind, secret, NOW)
            for other in ("", "wrong", secret + " ", {"a key": "a token"}.get(secret, "a key")):
                assert not place.store.may_fit(kind, other, NOW)

    def test_the_list_is_read_again_after_seconds(self, place: Place) -> None:
        issued = password(place, "first")
        assert place.store.may_fit("app_password", "first", NOW)
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_app_password(issued, NOW)
        password(place, "second")
        late = NOW + timedelta(seconds=20)
        assert (place.store.may_fit("app_password", "first", late), place.store.may_fit("app_password", "second", late)) == (False, True)
        early = NOW - timedelta(days=1)  # a clock that was set back
        assert place.store.may_fit("app_password", "second", early)


class TestApiKeys:
    def test_a_key_stands_for_the_whole_company(self, place: Place) -> None:
        issued = key(place)
        found = place.store.login_by_api_key(SECRET, NOW)
        assert found is not None
        assert (found.company, found.staff, found.credential, found.read_only) == (DEMO, None, issued, False)

    def test_nothing_else_is_a_key(self, place: Place) -> None:
        key(place)
        password(place, "app password")
        feed(place, "feed token")
        for wrong in ("", "x", SECRET + "x", SECRET.upper(), "app password", "feed token", "' OR 1=1 --"):
            assert place.store.login_by_api_key(wrong, NOW) is None

    def test_a_revoked_key_is_refused_at_once(self, place: Place) -> None:
        first, _ = key(place, "first"), key(place, "second")
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_api_key(first, NOW + HOUR)
        assert place.store.login_by_api_key("first", NOW) is None
        assert place.store.login_by_api_key("second", NOW) is not None

    def test_the_list_tells_what_became_of_each(self, place: Place) -> None:
        first, second = key(place, "first"), key(place, "second")
        place.store.login_by_api_key("second", NOW + DAY)
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_api_key(first, NOW + HOUR)
        with place.store.read(DEMO) as snapshot:
            found = {each.id: each for each in snapshot.api_keys()}
        assert (found[first].label, found[first].created, found[first].revoked) == ("website", NOW, NOW + HOUR)
        assert (found[first].last_used, found[second].revoked) == (None, None)
        assert found[second].last_used is not None
        assert abs(found[second].last_used - (NOW + DAY)) <= MINUTE


class TestFeeds:
    def test_a_feed_is_found_by_its_token(self, place: Place) -> None:
        made = feed(place, "token", past_days=7, future_days=8, alarm_minutes=15, label="Zoë 🗓", level=Level.INITIALS)
        assert place.store.feed_by_token("token") == (DEMO, made)
        for wrong in ("", "TOKEN", "toke", "token ", made.id):
            assert place.store.feed_by_token(wrong) is None
        with place.store.read(DEMO) as snapshot:
            assert list(snapshot.feeds()) == [made]

    def test_a_token_leads_to_one_feed(self, place: Place, neighbour: Place) -> None:
        feed(place, "token")
        with pytest.raises(Conflict):
            feed(neighbour, "token", scope=Scope.COMPANY, of=None)

    def test_a_revoked_feed_is_found_as_such(self, place: Place) -> None:
        made = feed(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.revoke_feed(made.id, NOW + HOUR)
        assert place.store.feed_by_token("token") == (DEMO, replace(made, revoked=NOW + HOUR))

    def test_who_fetched_it_last_is_known(self, place: Place) -> None:
        made = feed(place)
        with place.store.write(DEMO, SETUP) as tx:
            tx.feed_fetched(made.id, "Agent/1.0 (é)", NOW + HOUR)
        found = place.store.feed_by_token("token")
        assert found is not None
        assert (found[1].last_fetched, found[1].last_agent) == (NOW + HOUR, "Agent/1.0 (é)")

    def test_the_members_are_the_calendars_of_appointments_of_its_scope(self, place: Place) -> None:
        john, emma = place.calendar(JOHN.id), place.calendar(EMMA.id)
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("back"), slug="back", name="Back", members=(EMMA.id,)))
        for token, scope, of, members in (
            ("staff", Scope.STAFF, JOHN.id, {john}),
            ("group", Scope.GROUP, GroupId("back"), {emma}),
            ("front", Scope.GROUP, FRONT.id, {john, emma}),
            ("company", Scope.COMPANY, None, {john, emma}),
        ):
            made = feed(place, token, scope=scope, of=of)
            with place.store.read(DEMO) as snapshot:
                assert set(snapshot.feed_members(made)) == members

    def test_its_revision_moves_with_what_it_shows(self, place: Place) -> None:
        mine, group = feed(place, "mine"), feed(place, "group", scope=Scope.GROUP, of=FRONT.id)

        def revisions() -> tuple[int, int]:
            with place.store.read(DEMO) as snapshot:
                return snapshot.feed_revision(mine), snapshot.feed_revision(group)

        before = revisions()
        place.book(staff=EMMA.id)
        assert (revisions()[0], revisions()[1] > before[1]) == (before[0], True)
        before = revisions()
        booked = place.book()
        assert revisions()[0] > before[0]
        before = revisions()
        place.cancel(booked)
        assert revisions()[0] > before[0]
        before = revisions()
        with place.store.write(DEMO, SETUP) as tx:
            tx.save_group(replace(tx.group(FRONT.id), members=(EMMA.id,)))
        assert revisions()[1] > before[1]


class TestQuestions:
    def test_a_question_is_found_by_its_token_and_settled_once(self, place: Place) -> None:
        booked = place.book()
        with place.store.write(DEMO, SETUP) as tx:
            issued = tx.ask(booked.id, booked.span.start, JOHN.id, "token", NOW)
        found = place.store.question("token")
        assert found is not None
        company, question = found
        assert (company, question.id, question.entry, question.at, question.staff) == (DEMO, issued, booked.id, booked.span.start, JOHN.id)
        assert (question.asked, question.answered, question.answer) == (NOW, None, "")
        assert place.store.question("TOKEN") is None
        assert place.store.question(issued) is None
        for answer, settled in (("cancel", True), ("keep", False)):
            with place.store.write(DEMO, SETUP) as tx:
                assert tx.answer(issued, answer, NOW + HOUR) is settled
        found = place.store.question("token")
        assert found is not None
        assert (found[1].answered, found[1].answer) == (NOW + HOUR, "cancel")

    def test_a_question_about_the_whole_names_no_occurrence(self, place: Place) -> None:
        booked = place.book()
        with place.store.write(DEMO, SETUP) as tx:
            tx.ask(booked.id, None, JOHN.id, "token", NOW)
        found = place.store.question("token")
        assert found is not None
        assert found[1].at is None

    def test_another_company_cannot_settle_it(self, place: Place) -> None:
        booked = place.book()
        with place.store.write(DEMO, SETUP) as tx:
            issued = tx.ask(booked.id, None, JOHN.id, "token", NOW)
        with place.store.write(OTHER, SETUP) as tx:
            assert tx.answer(issued, "cancel", NOW) is False
        found = place.store.question("token")
        assert found is not None
        assert found[1].answered is None


class TestIdempotency:
    def test_an_answer_is_remembered_by_its_key(self, place: Place) -> None:
        with place.store.write(DEMO, SETUP) as tx:
            assert tx.recall("key") is None
            tx.remember("key", "digest", 201, '{"id": "é𝒳"}', NOW)
            assert tx.recall("key") == ("digest", 201, '{"id": "é𝒳"}')
        with place.store.write(DEMO, SETUP) as tx:
            assert tx.recall("key") == ("digest", 201, '{"id": "é𝒳"}')
            assert tx.recall("KEY") is None
        with place.store.write(OTHER, SETUP) as tx:
            assert tx.recall("key") is None


def test_no_secret_lies_in_the_database(place: Place, database: Database) -> None:
    secrets = [f"canary-{kind}-7f3a" for kind in ("app-password", "api-key", "feed-token", "question-token")]
    password(place, secrets[0])
    key(place, secrets[1])
    feed(place, secrets[2])
    with place.store.write(DEMO, SETUP) as tx:
        entry = booking(tx.appointments_of(JOHN.id).id)
        tx.ask(EntryId(entry.id), None, JOHN.id, secrets[3], NOW)
    place.store.login_by_app_password(JOHN.handle, secrets[0], NOW)
    place.store.login_by_api_key(secrets[1], NOW)
    place.store.close()
    kept = database.dump()
    assert JOHN.email.encode() in kept  # the dump sees what there is
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret.encode().hex().encode() not in kept
