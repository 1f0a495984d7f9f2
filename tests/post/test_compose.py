"""What customers read: every occasion in every language, the right times in the right zone, and a file that says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.model import Recurrence, Span, Status
from gateway.post import paper
from gateway.post.compose import Composed, compose
from gateway.post.news import news
from gateway.post.words import LANGUAGES
from tests.post.house import (
    CIRCLE,
    NOW,
    OCCASIONS,
    ORGANIZER,
    SECOND,
    SERIES,
    invitation,
    later,
    letter,
    octets,
    opened,
    speaking,
)

SUBJECTS = {
    "en": {
        "booked": "Your appointment on Wednesday, November 25 at 10:00 AM",
        "series_booked": "Your appointments from Wednesday, November 25, 2026",
        "moved": "New time for your appointment: Friday, November 27 at 2:00 PM",
        "series_moved": "New times for your appointments",
        "cancelled": "Cancelled: your appointment on Wednesday, November 25 at 10:00 AM",
        "series_cancelled": "Cancelled: your appointments from Wednesday, November 25, 2026",
        "one_moved": "New time for your appointment: Thursday, December 3 at 10:00 AM",
        "one_cancelled": "Cancelled: your appointment on Wednesday, December 2 at 10:00 AM",
        "one_added": "Your appointment on Wednesday, December 2 at 10:00 AM takes place",
        "several_changed": "Changes to your appointments",
    },
    "fr": {
        "booked": "Votre rendez-vous du mercredi 25 novembre à 10:00",
        "series_booked": "Vos rendez-vous à partir du mercredi 25 novembre 2026",
        "moved": "Nouvel horaire pour votre rendez-vous : vendredi 27 novembre à 14:00",
        "series_moved": "Nouveaux horaires pour vos rendez-vous",
        "cancelled": "Annulé : votre rendez-vous du mercredi 25 novembre à 10:00",
        "series_cancelled": "Annulés : vos rendez-vous à partir du mercredi 25 novembre 2026",
        "one_moved": "Nouvel horaire pour votre rendez-vous : jeudi 3 décembre à 10:00",
        "one_cancelled": "Annulé : votre rendez-vous du mercredi 2 décembre à 10:00",
        "one_added": "Maintenu : votre rendez-vous du mercredi 2 décembre à 10:00",
        "several_changed": "Changements concernant vos rendez-vous",
    },
    "de": {
        "booked": "Ihr Termin: Mittwoch, 25. November, 10:00 Uhr",
        "series_booked": "Ihre Termine ab Mittwoch, 25. November 2026",
        "moved": "Neue Zeit für Ihren Termin: Freitag, 27. November, 14:00 Uhr",
        "series_moved": "Neue Zeiten für Ihre Termine",
        "cancelled": "Abgesagt: Ihr Termin am Mittwoch, 25. November, 10:00 Uhr",
        "series_cancelled": "Abgesagt: Ihre Termine ab Mittwoch, 25. November 2026",
        "one_moved": "Neue Zeit für Ihren Termin: Donnerstag, 3. Dezember, 10:00 Uhr",
        "one_cancelled": "Abgesagt: Ihr Termin am Mittwoch, 2. Dezember, 10:00 Uhr",
        "one_added": "Findet doch statt: Ihr Termin am Mittwoch, 2. Dezember, 10:00 Uhr",
        "several_changed": "Änderungen an Ihren Terminen",
    },
    "es": {
        "booked": "Su cita: miércoles, 25 de noviembre, 10:00 h",
        "series_booked": "Sus citas a partir del miércoles, 25 de noviembre de 2026",
        "moved": "Nuevo horario para su cita: viernes, 27 de noviembre, 14:00 h",
        "series_moved": "Nuevos horarios para sus citas",
        "cancelled": "Cancelada: su cita del miércoles, 25 de noviembre, 10:00 h",
        "series_cancelled": "Canceladas: sus citas a partir del miércoles, 25 de noviembre de 2026",
        "one_moved": "Nuevo horario para su cita: jueves, 3 de diciembre, 10:00 h",
        "one_cancelled": "Cancelada: su cita del miércoles, 2 de diciembre, 10:00 h",
        "one_added": "Se mantiene: su cita del miércoles, 2 de diciembre, 10:00 h",
        "several_changed": "Cambios en sus citas",
    },
}
METHODS = dict.fromkeys(OCCASIONS, "REQUEST") | dict.fromkeys(("cancelled", "series_cancelled", "one_cancelled"), "CANCEL")


@pytest.mark.parametrize("language", SUBJECTS)
@pytest.mark.parametrize("kind", OCCASIONS)
def test_every_occasion_has_its_letter_in_every_language(kind: str, language: str) -> None:
    found = letter(kind, speaking(language))
    text, html = paper.text(found.paper), paper.html(found.paper)
    assert found.kind == kind
    assert found.subject.replace("\u00a0", " ") == SUBJECTS[language][kind]
    assert text.startswith(found.paper.title + "\n\n")
    assert text.endswith(f"{LANGUAGES[language].closing}\nDemo Company\n")
    for shown in ("Ann Canaryname", "Advice", "John Smith", "Europe/Paris"):
        assert shown in text
        assert shown in html
    assert f'<html lang="{language}"' in html
    assert all(len(line) <= 72 or "https://" in line for line in text.splitlines())
    assert len(html.encode()) < 20_000


@pytest.mark.parametrize("kind", OCCASIONS)
def test_the_file_says_what_the_letter_says(kind: str) -> None:
    found = letter(kind)
    assert found.invitation is not None
    method, events = invitation(opened(octets(found)))
    assert method == found.invitation.method == METHODS[kind]
    standing = OCCASIONS[kind][1]
    assert {int(event["SEQUENCE"]) for event in events} == {standing.sequence}
    assert {str(event["UID"]) for event in events} == {standing.uid}
    assert {str(event["SUMMARY"]) for event in events} == {"Advice – Demo Company"}
    assert {str(event["ORGANIZER"]) for event in events} == {f"mailto:{ORGANIZER}"}


@pytest.mark.parametrize(
    ("kind", "method", "start"), [("one_moved", "REQUEST", SECOND + timedelta(days=1)), ("one_cancelled", "CANCEL", SECOND)]
)
def test_one_occurrence_travels_under_its_original_start(kind: str, method: str, start: datetime) -> None:
    found, [event] = invitation(opened(octets(letter(kind))))
    assert (found, event["RECURRENCE-ID"].dt, event["DTSTART"].dt) == (method, SECOND, start)
    assert "RRULE" not in event


@pytest.mark.parametrize("kind", ["series_booked", "series_moved", "one_added", "several_changed"])
def test_the_whole_series_travels_when_more_than_one_date_changes(kind: str) -> None:
    _, events = invitation(opened(octets(letter(kind))))
    assert "RRULE" in events[0]
    assert len(events) == (3 if kind == "several_changed" else 1)


def test_a_move_shows_the_new_time_and_the_old_one() -> None:
    text = paper.text(letter("moved").paper)
    assert "New time: Friday, November 27, 2026, 2:00 PM – 2:30 PM\nOld time: Wednesday, November 25, 2026, 10:00 AM – 10:30 AM\n" in text
    html = paper.html(letter("moved").paper)
    assert "Friday, November 27, 2026<br>2:00 PM – 2:30 PM" in html
    assert "<s>Wednesday, November 25, 2026<br>10:00 AM – 10:30 AM</s>" in html


def test_several_changes_are_sorted_by_what_became_of_them() -> None:
    text = " ".join(paper.text(letter("several_changed").paper).split())
    assert (
        "Moved: - Wednesday, November 25 at 10:00 AM → Thursday, November 26, 2026, 11:00 AM – 11:30 AM "
        "- Wednesday, December 2 at 10:00 AM → Thursday, December 3, 2026, 10:00 AM – 10:30 AM "
        "Cancelled: - Wednesday, December 9, 2026, 10:00 AM – 10:30 AM "
        "Takes place after all: - Wednesday, December 16, 2026, 10:00 AM – 10:30 AM "
    ) in text


def test_a_customer_elsewhere_reads_both_clocks() -> None:
    away = replace(CIRCLE, customer=replace(CIRCLE.customer, zone="America/New_York"))
    found = letter("moved", away)
    assert found.subject == "New time for your appointment: Friday, November 27 at 8:00 AM"
    assert (
        "New time: Friday, November 27, 2026, 8:00 AM – 8:30 AM\n"
        "Old time: Wednesday, November 25, 2026, 4:00 AM – 4:30 AM\n"
        "Time zone: America/New York\n"
        "Local time at Demo Company: Friday, November 27, 2026, 2:00 PM – 2:30 PM\n"
    ) in paper.text(found.paper)


def test_another_zone_with_the_same_clock_is_only_named() -> None:
    text = paper.text(letter("moved", replace(CIRCLE, customer=replace(CIRCLE.customer, zone="Europe/Madrid"))).paper)
    assert "Time zone: Europe/Madrid" in text
    assert "Local time at" not in text


def test_an_unknown_zone_falls_back_to_the_company_s() -> None:
    text = paper.text(letter("booked", replace(CIRCLE, customer=replace(CIRCLE.customer, zone="Mars/Olympus"))).paper)
    assert "10:00 AM – 10:30 AM" in text
    assert "Time zone: Europe/Paris" in text


def test_an_unspoken_language_falls_back_to_the_company_s() -> None:
    circle = replace(CIRCLE, company=replace(CIRCLE.company, locale="de"), customer=replace(CIRCLE.customer, locale="pt-BR"))
    assert letter("booked", circle).subject == "Ihr Termin: Mittwoch, 25. November, 10:00 Uhr"


def test_a_past_midnight_appointment_names_both_days() -> None:
    night = Span(datetime.fromisoformat("2026-11-25T22:30:00+00:00"), datetime.fromisoformat("2026-11-25T23:30:00+00:00"))
    start, end = night.start.astimezone(NOW.tzinfo), night.end.astimezone(NOW.tzinfo)
    standing = replace(OCCASIONS["booked"][1], span=Span(start, end))
    what = news(None, standing, NOW)
    assert what is not None
    text = paper.text(compose(what, standing, CIRCLE, NOW, organizer=ORGANIZER).paper)
    assert "Wednesday, November 25, 2026, 11:30 PM – Thursday, November 26," in text


@pytest.mark.parametrize(("count", "last"), [(9, "- Wednesday, January 20, 2027, 10:00 AM – 10:30 AM"), (10, "- and 2 more")])
def test_a_long_series_is_counted_and_one_date_more_is_written_out(count: int, last: str) -> None:
    text = paper.text(_series_booked(f"FREQ=WEEKLY;COUNT={count}").paper)
    assert text.partition("\n\nTime zone")[0].endswith(last)


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY", "FREQ=DAILY;COUNT=500"])
def test_an_endless_series_goes_on(rule: str) -> None:
    text = paper.text(_series_booked(rule).paper)
    assert text.partition("\n\nTime zone")[0].endswith("- and so on")
    assert text.count("\n- ") == 9


def test_a_running_series_begins_with_its_next_date() -> None:
    told, standing = SERIES, later(SERIES, status=Status.CANCELLED)
    what = news(told, standing, SECOND)
    assert what is not None
    found = compose(what, standing, CIRCLE, SECOND, organizer=ORGANIZER)
    assert found.subject == "Cancelled: your appointments from Wednesday, December 2, 2026"
    assert "November 25" not in paper.text(found.paper)


def test_links_to_web_calendars_carry_the_new_time_and_are_offered_for_single_times_only() -> None:
    links = {link.label: link.address for link in letter("moved").paper.links}
    assert set(links) == {"Google Calendar", "Outlook.com", "Microsoft 365"}
    assert "20261127T130000Z%2F20261127T133000Z" in links["Google Calendar"]
    assert "2026-11-27T13%3A00%3A00Z" in links["Outlook.com"]
    for kind in ("series_booked", "series_moved", "cancelled", "several_changed"):
        assert letter(kind).paper.links == ()


@pytest.mark.parametrize("name", ["Ann", "Ann-Sophie d’Été", "J. R. Smith", "王小明", "O'Neil (junior)"])
def test_a_customer_is_greeted_by_name(name: str) -> None:
    assert letter("booked", replace(CIRCLE, customer=replace(CIRCLE.customer, name=name))).paper.greeting == f"Hello {name},"


@pytest.mark.parametrize(
    "name", ["", "  ", "You won! https://evil.example/x", "evil.example", "a@b", "Ann\u202e", "x" * 61, "www。evil。example"]
)
def test_what_is_no_name_is_not_greeted(name: str) -> None:
    greeting = letter("booked", replace(CIRCLE, customer=replace(CIRCLE.customer, name=name))).paper.greeting
    assert greeting == ("Hello Ann," if name.startswith("Ann") else "Hello,")


def _series_booked(rule: str) -> Composed:
    standing = replace(SERIES, recurrence=Recurrence(rule=rule))
    what = news(None, standing, NOW)
    assert what is not None
    return compose(what, standing, CIRCLE, NOW, organizer=ORGANIZER)
