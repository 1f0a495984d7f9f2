"""Calendar objects as an attack: refused, or kept so that every later answer is sound and everybody else is served."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.dav.asking import comp, names_in, span
from tests.dav.hostile import refused
from tests.dav.house import EMMA, HERE, NOW, Answer, C, Client, D, House, event

MEGABYTE = 10**6
EXPANDED = f"<C:calendar-data>{span('20300101T000000', '20310101T000000', name='expand')}</C:calendar-data>"
WEEK = ("20261123T000000", "20261130T000000")


def put_meanwhile(john: Client, other: Client, text: str) -> Answer:
    """The answer to a PUT, while somebody else reads his own until it has come; at least once."""
    answers: list[Answer] = []
    putting = threading.Thread(target=lambda: answers.append(john.put(HERE + "big.ics", text)))
    putting.start()
    serve_others(other, putting)
    return answers[0]


def serve_others(other: Client, busy: threading.Thread) -> None:
    """Somebody is answered as long as the thread lives, and once at least."""
    served = 0
    while not served or busy.is_alive():
        assert other.propfind("/dav/emma-morris/appointments/", "<D:getetag/>").status == 207
        served += 1
    busy.join(30)


def emma(house: House) -> Client:
    return house.client(EMMA)


@pytest.mark.parametrize(
    "more",
    [
        ["DESCRIPTION:" + "x" * 10 * MEGABYTE],
        [f"X-{number}:1" for number in range(900_000)],
        ["ATTENDEE:mailto:a@example.com"] * 350_000,
        ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM"] * 200_000,
    ],
    ids=["one line", "properties", "attendees", "alarms"],
)
def test_an_object_of_ten_megabytes_is_refused_while_others_are_served(calm: House, john: Client, more: list[str]) -> None:
    text = event("big@example.com", "20261126T090000Z", "20261126T100000Z", *more)
    assert len(text) > 10 * MEGABYTE
    refused(put_meanwhile(john, emma(calm), text), 413)
    assert john.ask("GET", HERE + "big.ics").status == 404


@pytest.mark.parametrize(
    ("more", "statuses"),
    [
        (["ATTENDEE:mailto:a@example.com"] * 20_000, (403,)),
        (["X-P;" + ";".join(f"P{number}=1" for number in range(50_000)) + ":1"], (201, 403)),
        (["EXDATE:" + ",".join(["20261126T090000Z"] * 50_000)], (403,)),
        (["RDATE:" + ",".join(["20261126T090000Z"] * 50_000)], (403,)),
        (["RRULE:FREQ=DAILY"] * 1000, (403,)),
        (["BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"] * 10_000, (403,)),
        (["DESCRIPTION:" + "," * 900_000], (201, 403)),
        (["DESCRIPTION:" + "\\" * 900_000], (201, 403)),
        (['X-P;P="' + '"' * 100_000 + '":1'], (201, 403)),
        (["DESCRIPTION:" + "\r\n ".join("x" * 250_000)], (201, 403)),
        (["BEGIN:VALARM"] * 35_000 + ["END:VALARM"] * 35_000, (403,)),
        ([""] * 100_000, (201, 403)),
    ],
    ids=["attendees", "parameters", "EXDATE", "RDATE", "RRULE", "alarms", "commas", "backslashes", "quotes", "folds", "deep", "blank"],
)
def test_what_is_full_of_one_thing_is_read_in_its_length(house: House, john: Client, more: list[str], statuses: tuple[int, ...]) -> None:
    answer = put_meanwhile(john, emma(house), event("big@example.com", "20261126T090000Z", "20261126T100000Z", *more))
    assert answer.status in statuses, answer.text
    assert names_in(john.query(comp("VEVENT", span(*WEEK)))) == (["big.ics"] if answer.status == 201 else [])
    assert john.ask("DELETE", HERE + "big.ics").status == (204 if answer.status == 201 else 404)


@pytest.mark.parametrize(
    "mark",
    [
        "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e", "\x7f", "\ufeff", "\ufffd", "\uffff", "\ufdd0", "\x00", "\x1b[31m",
        "\U0001f469\u200d\U0001f467", "e\u0301", "\u202e", "\r", "\n", "]]>", "&#0;", "<b>",
    ],
)  # fmt: skip
def test_a_letter_that_ends_lines_elsewhere_ends_none_here(house: House, john: Client, mark: str) -> None:
    """It is refused, or every answer is well-formed and no property has come of it."""
    text = event("mark@example.com", summary=f"one{mark}X-EVIL:two")
    answer = john.put(HERE + "mark.ics", text)
    if answer.status != 201:
        refused(answer, 400, 403)
    told = [john.sync(props="<C:calendar-data/>"), john.query(comp("VEVENT", span(*WEEK)), props="<C:calendar-data/>")]
    told += [john.query(comp("VEVENT", '<C:prop-filter name="X-EVIL"/>')), john.query(comp("VEVENT"), props=part("SUMMARY", "X-EVIL"))]
    assert {each.status for each in told} == {207}
    if answer.status == 201:
        assert [list(each.responses) for each in told[:2]] == [[HERE + "mark.ics"]] * 2
        if mark not in "\r\n":
            assert list(told[2].responses) == []
            assert "X-EVIL:" not in told[3].responses[HERE + "mark.ics"][f"{C}calendar-data"].splitlines()
        assert john.ask("DELETE", HERE + "mark.ics").status == 204


def part(*names: str) -> str:
    inside = "".join(f'<C:prop name="{name}"/>' for name in names)
    return f'<C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT">{inside}</C:comp></C:comp></C:calendar-data>'


@pytest.mark.parametrize(
    "octets",
    [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9", b"\xc3\r\n \xa9", b"+AOk-", b"\xf0\x9f\r\n \x91\xa9"],
    ids=["no UTF-8", "overlong", "a surrogate", "beyond Unicode", "Latin-1", "folded inside a letter", "UTF-7", "folded inside an emoji"],
)
def test_octets_that_are_no_letters_are_refused_or_come_back(house: House, john: Client, octets: bytes) -> None:
    text = event("octets@example.com", summary="@").encode().replace(b"SUMMARY:@", b"SUMMARY:" + octets)
    answer = john.put(HERE + "octets.ics", text)
    if answer.status == 201:
        assert john.get(HERE + "octets.ics").body == text
    else:
        refused(answer, 400, 403)
    assert john.sync(props="<C:calendar-data/>").status == 207


@pytest.mark.parametrize(
    "uid",
    [
        "../../etc/passwd",
        "a/b",
        "..",
        "%2e%2e",
        "' OR '1'='1",
        "%",
        "a?b#c",
        "é",
        "e\u0301",
        "\U0001f600",
        "x" * 900,
        "<b>&amp;",
        "{0}",
        " ",
        "-",
        "CON",
    ],
)
def test_a_uid_is_never_an_address(house: House, john: Client, uid: str) -> None:
    answer = john.put(HERE + "it.ics", event(uid))
    if answer.status != 201:
        refused(answer, 403)
        return
    assert f"UID:{uid}\r\n" in john.get(HERE + "it.ics").text
    assert set(john.sync().responses) == {HERE + "it.ics"}
    other = john.put(HERE + "other.ics", event(uid))
    assert (other.status, other.condition) == (403, f"{C}no-uid-conflict")
    assert john.ask("DELETE", HERE + "it.ics").status == 204


@pytest.mark.parametrize("uid", ["x" * 1001, "x" * 900_000, "a\x00b"])
def test_a_uid_has_an_end(calm: House, john: Client, uid: str) -> None:
    refused(john.put(HERE + "it.ics", event(uid)), 403)


def test_the_uid_of_an_appointment_belongs_to_it(house: House, john: Client) -> None:
    """No client binds it to another object, nor another one to it."""
    name = house.book(NOW + timedelta(days=3), uid="appt-1@gateway")
    stolen = john.put(HERE + "stolen.ics", event("appt-1@gateway"))
    assert (stolen.status, stolen.condition) == (403, f"{C}no-uid-conflict")
    text = john.get(HERE + name).text
    changed = john.put(HERE + name, text.replace("appt-1@gateway", "mine-now@example.com"))
    assert changed.status in (403, 409)
    held = house.entry(name)
    assert held is not None
    assert held.uid == "appt-1@gateway"
    assert "appt-1@gateway" in john.get(HERE + name).text
    assert john.ask("GET", HERE + "stolen.ics").status == 404


def test_a_hostile_rule_is_asked_for_while_others_are_served(house: House, john: Client) -> None:
    """How far it is followed is counted in `test_costs`; here everybody else goes on meanwhile."""
    rules = ("FREQ=SECONDLY", "FREQ=SECONDLY;COUNT=1000000000", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MINUTELY;BYHOUR=3")
    for number, rule in enumerate(rules):
        text = event(f"{number}@example.com", "16010101T000000Z", "16010101T000001Z", f"RRULE:{rule}")
        assert john.put(f"{HERE}{number}.ics", text).status == 201
    answers: list[Answer] = []
    window = comp("VEVENT", span("20300101T000000", "20310101T000000"))
    asking = threading.Thread(target=lambda: answers.extend(john.query(window, props=data) for data in ("<D:getetag/>", EXPANDED)))
    asking.start()
    serve_others(emma(house), asking)
    assert [each.status for each in answers] == [207, 403]
    assert answers[1].condition == f"{D}number-of-matches-within-limits"
