"""What devices are told: once for what they look at, with the token it has by then, and nothing that is none of their business."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway import desk
from gateway.booking import Move
from gateway.model import Appointment, Group, GroupId, Span
from gateway.push.carrier import REST
from gateway.store import Store
from tests.dav.house import DEMO, EMMA, HERE, JOHN, NOW, OTHER, SETUP, TAYLOR, Client, event
from tests.push.house import PROPERTIES, Device, Office, post, registered, wish
from tests.push.test_registering import COMPANY, topic

TOMORROW = NOW + timedelta(days=1)


def move(office: Office, name: str, hours: int = 2) -> None:
    """As the platform does it."""
    with office.house.store.write(DEMO, SETUP) as tx:
        calendar = tx.appointments_of(JOHN.id).id
        held = tx.held(calendar, name)
        assert held is not None
        assert isinstance(held.entry, Appointment)
        span = held.entry.span
        moved = Span(span.start + timedelta(hours=hours), span.end + timedelta(hours=hours))
        desk.apply(tx, SETUP, calendar, name, [Move(span=moved)], office.now)


def revoke_all(store: Store, office: Office) -> None:
    with store.write(DEMO, SETUP) as tx:
        for password in tx.app_passwords(JOHN.id):
            tx.revoke_app_password(password.id, office.now)


class TestNews:
    def test_a_move_is_told_once_and_its_token_leads_to_exactly_that_change(self, each_office: Office) -> None:
        office, john = each_office, each_office.house.client()
        name = office.house.book(TOMORROW)
        phone, before = registered(john, office.service.url()), john.token()
        assert office.told() == []
        move(office, name)
        [given] = office.told()
        told = given.message(phone.device)
        assert (told.topic, told.contents, told.properties) == (topic(john), True, False)
        assert told.token == john.token() != before
        assert set(john.sync(before).responses) == {HERE + name}
        assert set(john.sync(told.token).responses) == set()
        assert office.told() == []

    def test_the_request_is_one_of_web_push(self, office: Office, john: Client) -> None:
        registered(john, office.service.url("up?x=1"))
        office.house.book(TOMORROW)
        [given] = office.told()
        headers = given.headers
        assert given.path == "/up?x=1"
        assert (headers["content-encoding"], headers["content-type"]) == ("aes128gcm", 'application/xml; charset="UTF-8"')
        assert (headers["ttl"], headers["urgency"]) == ("86400", "normal")
        assert len(headers["topic"]) == 32
        assert headers["topic"].replace("-", "").replace("_", "").isalnum()
        claims = given.claims(office.vapid.public)
        assert (claims["aud"], claims["sub"]) == (office.service.origin, "mailto:admin@example.com")
        assert 0 < claims["exp"] - office.now.timestamp() <= 24 * 3600

    def test_a_later_message_takes_the_place_of_one_not_yet_fetched_of_the_same_device_only(self, office: Office, john: Client) -> None:
        for number in "12":
            registered(john, office.service.url(number))
        replaced: dict[str, set[str]] = {}
        for day in range(3):
            office.house.book(TOMORROW + timedelta(days=day))
            for given in office.told():
                replaced.setdefault(given.path, set()).add(given.headers["topic"])
        assert [len(each) for each in replaced.values()] == [1, 1]
        assert replaced["/1"] != replaced["/2"]

    def test_a_hundred_changes_within_two_seconds_are_one_message(self, office: Office, john: Client) -> None:
        phone = registered(john, office.service.url())
        for number in range(20):
            john.put(f"{HERE}{number}.ics", event(str(number)))
            office.read()
        office.later(timedelta(seconds=1))
        assert office.carry() == []
        office.later(timedelta(seconds=1))
        [given] = office.carry()
        assert given.message(phone.device).token == john.token()

    def test_a_device_rests_between_two_messages_and_then_hears_of_everything_at_once(self, office: Office, john: Client) -> None:
        phone = registered(john, office.service.url())
        office.house.book(TOMORROW)
        assert len(office.told()) == 1
        for day in range(1, 8):
            office.house.book(TOMORROW + timedelta(days=day))
            office.read()
            office.later(timedelta(seconds=2))
            given = office.carry()
            assert given == []
        office.later(timedelta(seconds=1))
        [last] = office.carry()
        assert last.message(phone.device).token == john.token()

    def test_what_comes_while_a_message_is_on_its_way_is_told_in_a_next_one(self, office: Office, john: Client) -> None:
        phone = registered(john, office.service.url())

        def meanwhile() -> None:
            office.service.meanwhile = lambda: None
            office.house.book(TOMORROW + timedelta(days=1))
            office.read()

        office.service.meanwhile = meanwhile
        office.house.book(TOMORROW)
        [first] = office.told()
        office.later(REST)
        [second] = office.carry()
        assert second.message(phone.device).token == john.token() != first.message(phone.device).token

    def test_a_put_that_changes_nothing_is_no_news(self, office: Office, john: Client) -> None:
        john.put(HERE + "a.ics", event("a"))
        registered(john, office.service.url())
        assert john.put(HERE + "a.ics", event("a")).status == 204
        assert office.told() == []

    def test_every_device_is_told_for_itself(self, office: Office, john: Client) -> None:
        devices = {name: registered(john, office.service.url(name)) for name in ("phone", "tablet")}
        registered(john, office.service.url("phone"), COMPANY)
        john.put(HERE + "a.ics", event("a"))
        told = office.told()
        assert sorted(given.path for given in told) == ["/phone", "/tablet"]
        assert {given.message(devices[given.path[1:]].device).topic for given in told} == {topic(john)}

    def test_a_device_that_registers_again_is_not_told_of_what_was_before_and_loses_nothing(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        office.house.book(TOMORROW)
        office.read()
        phone = registered(john, office.service.url())  # with new keys, before the message was sent
        [given] = office.told()
        assert given.message(phone.device).token == john.token()
        assert office.told() == []


class TestWhoIsTold:
    def test_a_colleague_is_not_told_of_a_calendar_that_he_does_not_see(self, office: Office, john: Client) -> None:
        registered(office.house.client(EMMA), office.service.url(), "/dav/emma-morris/appointments/")
        john.put(HERE + "a.ics", event("a"))
        office.house.book(TOMORROW)
        assert office.told() == []

    @pytest.mark.parametrize("slug", ["company", "group-front"])
    def test_who_looks_at_a_view_is_told_of_what_it_shows(self, office: Office, john: Client, slug: str) -> None:
        emma, path = office.house.client(EMMA), f"/dav/emma-morris/{slug}/"
        phone = registered(emma, office.service.url(), path)
        john.put(HERE + "private.ics", event("private"))
        assert office.told() == []
        office.house.book(TOMORROW)
        [given] = office.told()
        told = given.message(phone.device)
        assert (told.topic, told.token) == (topic(emma, path), emma.token(path))

    def test_who_looks_at_a_view_is_told_when_others_are_shown(self, office: Office) -> None:
        emma = office.house.client(EMMA)
        for slug in ("company", "group-front"):
            registered(emma, office.service.url(slug), f"/dav/emma-morris/{slug}/")
        with office.house.store.write(DEMO, SETUP) as tx:
            tx.save_group(Group(id=GroupId("front"), slug="front", name="Front desk", members=(EMMA.id,)), office.now)
        assert [given.path for given in office.told()] == ["/group-front"]

    def test_a_secretary_is_told_of_the_calendars_that_are_open_to_her_and_once_of_the_end_of_that(self, office: Office) -> None:
        emma = office.house.client(EMMA)
        with office.house.store.write(DEMO, SETUP) as tx:
            tx.delegate(JOHN.id, EMMA.id, office.now, write=False)
        phone = registered(emma, office.service.url())
        assert phone.path.startswith("/dav/emma-morris/push-registrations/")
        office.house.book(TOMORROW)
        [given] = office.told()
        told = given.message(phone.device)
        assert (told.topic, told.token) == (topic(emma), emma.token())
        assert told.topic != topic(office.house.client())
        with office.house.store.write(DEMO, SETUP) as tx:
            tx.undelegate(JOHN.id, EMMA.id)
        office.house.book(TOMORROW + timedelta(days=1))
        [given] = office.told()
        assert given.message(phone.device).token is None
        office.house.book(TOMORROW + timedelta(days=2))
        assert office.told() == []

    def test_the_other_company_is_another_world(self, office: Office, john: Client) -> None:
        taylor = office.house.client(TAYLOR)
        registered(taylor, office.service.url("taylor"), "/dav/taylor/company/")
        registered(john, office.service.url("john"), COMPANY)
        office.house.book(TOMORROW)
        assert [given.path for given in office.told()] == ["/john"]
        office.house.book(TOMORROW, staff=TAYLOR, company=OTHER)
        assert [given.path for given in office.told()] == ["/taylor"]

    def test_how_a_calendar_looks_is_told_to_who_asked_for_properties_and_sees_it_so(self, office: Office, john: Client) -> None:
        mine = registered(john, office.service.url("mine"), COMPANY, trigger=PROPERTIES)
        registered(office.house.client(EMMA), office.service.url("hers"), "/dav/emma-morris/company/", trigger=PROPERTIES)
        colour = (
            '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><I:calendar-color xmlns:I="http://apple.com/ns/ical/">#112233</I:calendar-color>'
            "</D:prop></D:set></D:propertyupdate>"
        )
        assert john.ask("PROPPATCH", COMPANY, colour).status == 207
        [given] = office.told()
        told = given.message(mine.device)
        assert (given.path, told.contents, told.properties) == ("/mine", False, True)
        assert john.ask("PROPPATCH", COMPANY, colour).status == 207
        office.house.book(TOMORROW)
        assert office.told() == []

    def test_who_asked_for_contents_is_told_of_contents(self, office: Office, john: Client) -> None:
        device = Device()
        assert post(john, wish(office.service.url(), device)).status == 204  # of everything, then
        john.put(HERE + "a.ics", event("a"))
        [given] = office.told()
        assert (given.message(device).contents, given.message(device).properties) == (True, False)

    def test_a_calendar_that_goes_is_told_for_the_last_time(self, office: Office, john: Client) -> None:
        path = "/dav/john-smith/private/"
        john.ask("MKCALENDAR", path)
        before = topic(john, path)
        phone = registered(john, office.service.url(), path)
        assert john.ask("DELETE", path).status == 204
        [given] = office.told()
        told = given.message(phone.device)
        assert (told.topic, told.contents, told.token) == (before, True, None)
        assert john.ask("DELETE", phone.path).status == 404


class TestNotTold:
    def test_the_device_that_made_the_change_asks_not_to_be_told_and_the_others_are(self, office: Office, john: Client) -> None:
        phone, tablet = (registered(john, office.service.url(name)) for name in ("phone", "tablet"))
        mine = f'"{phone.answer.headers["location"]}"'
        assert john.put(HERE + "a.ics", event("a"), Push_Dont_Notify=mine).status == 201
        assert [given.path for given in office.told()] == ["/tablet"]
        assert john.ask("DELETE", HERE + "a.ics", Push_Dont_Notify=f'{mine}, "{tablet.answer.headers["location"]}"').status == 204
        assert office.told() == []
        office.house.book(TOMORROW)
        assert sorted(given.path for given in office.told()) == ["/phone", "/tablet"]

    def test_it_is_told_of_what_somebody_else_changes_at_the_same_time(self, office: Office, john: Client) -> None:
        phone = registered(john, office.service.url())
        john.put(HERE + "a.ics", event("a"), Push_Dont_Notify=f'"{phone.answer.headers["location"]}"')
        office.house.book(TOMORROW)
        assert len(office.told()) == 1

    def test_an_asterisk_silences_all(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        john.put(HERE + "a.ics", event("a"), Push_Dont_Notify="*")
        assert office.told() == []

    @pytest.mark.parametrize("named", ['"https://evil.example/push-registrations/x"', '""', ",,,", '"*"', "x" * 4000])
    def test_other_values_mean_nothing(self, office: Office, john: Client, named: str) -> None:
        registered(john, office.service.url())
        assert john.put(HERE + "a.ics", event("a"), Push_Dont_Notify=named).status == 201
        assert len(office.told()) == 1

    def test_whoever_ended_his_registration(self, office: Office, john: Client) -> None:
        path = registered(john, office.service.url()).path
        office.house.book(TOMORROW)
        office.read()
        assert john.ask("DELETE", path).status == 204
        assert office.told() == []

    def test_whose_registration_is_over(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        office.house.book(TOMORROW)
        office.read()
        office.later(timedelta(days=8))
        assert office.told() == []
        assert office.house.store.next_push(office.now) is None

    def test_whose_app_password_was_revoked_not_even_of_what_waits(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        office.house.book(TOMORROW)
        office.read()
        revoke_all(office.house.store, office)
        office.house.book(TOMORROW + timedelta(days=1))
        assert office.told() == []
        assert office.house.store.next_push(office.now) is None

    def test_who_has_left(self, office: Office, john: Client) -> None:
        registered(john, office.service.url())
        office.house.book(TOMORROW)
        with office.house.store.write(DEMO, SETUP) as tx:
            desk.save_staff(tx, replace(JOHN, active=False), office.now)
        assert office.told() == []


def test_a_company_without_devices_costs_nothing(office: Office, john: Client) -> None:
    office.house.book(TOMORROW)
    assert list(office.news.due(office.now)) == []
    assert office.house.store.lag("push") == 0
    registered(john, office.service.url())
    assert list(office.news.due(office.now)) == []
    office.house.book(TOMORROW + timedelta(days=1))
    assert list(office.news.due(office.now)) == [DEMO]
    assert office.house.store.lag("push") == 1


def test_a_log_longer_than_a_batch_is_read_to_its_end(office: Office, john: Client) -> None:
    phone = registered(john, office.service.url())
    with office.house.store.write(DEMO, SETUP) as tx:
        hers = tx.collections(EMMA.id)[0]
        for number in range(1100):
            tx.set_properties(EMMA.id, hers, {f"{{x}}{number % 7}": str(number)}, office.now)
    office.house.book(TOMORROW)
    [given] = office.told()
    assert given.message(phone.device).token == john.token()
