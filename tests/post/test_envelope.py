"""The octets of a letter: whatever people are called, it has one recipient, its own headers, and nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Misconfigured, Reason
from gateway.post import paper, refusal
from gateway.post.compose import Circle, Composed
from gateway.post.envelope import Mailbox, address, message_id
from gateway.post.line import line
from tests.post.house import ANN, CIRCLE, NOW, OCCASIONS, ONE, ORGANIZER, SENDER, URL, invitation, letter, octets, opened, part, speaking

HEADERS = [
    "Message-ID",
    "Date",
    "From",
    "To",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]
HOSTILE = [
    "Ann\r\nBcc: evil@example.net\r\n\r\nbody",
    "Ann\nTo: evil@example.net",
    "Ann\x0bX: y\x85Cc: z\u2028Bcc: a@b\u2029.",
    "<script>document.title=1</script>",
    "\"><img src=x onerror='alert(1)'>",
    '</td></table><a href="https://evil.example/">here</a>',
    "{0.__class__} {name} %(a)s ${x} {{ 7 * 7 }} {% raw %}",
    'a" <evil@example.net>, "b',
    "evil@example.net, other@example.net",
    "=?utf-8?q?=0D=0ABcc:_evil=40example.net?=",
    "\ud800\udfff \u202eabc\u202c \x00\x1b[31m",
    "END:VEVENT\r\nBEGIN:VALARM\r\nATTACH:https://evil.example/",
    "Z" * 5000,
    "é" * 400,
    "名前" * 150,
    ",;:\\\"'()<>[]@.",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=120))


def named(text: str) -> Circle:
    """Everything that has a name is called that."""
    return Circle(
        company=replace(CIRCLE.company, name=text),
        staff=replace(CIRCLE.staff, name=text),
        service=replace(CIRCLE.service, name=text),
        customer=replace(CIRCLE.customer, name=text),
    )


LETTERS: dict[str, Callable[[Circle], Composed]] = {
    "moved": lambda circle: letter("moved", circle),
    "series": lambda circle: letter("series_booked", circle),
    "refused": lambda circle: refusal.refused(Reason.TAKEN, ONE, None, circle, NOW),
    "asked": lambda circle: refusal.asked(ONE, None, circle, NOW, address=f"{URL}/answer/token"),
}
kinds = st.sampled_from(sorted(LETTERS))


class Elements(HTMLParser):
    """The tags of a document and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, frozenset[str]]] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, frozenset(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


HONEST = {kind: Elements(paper.html(write(CIRCLE).paper)) for kind, write in LETTERS.items()}


def check(kind: str, name: str) -> None:
    """No header, no recipient and no tag but those of the same letter about honest people."""
    hostile = LETTERS[kind](named(name))
    message = octets(hostile)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message), "lines end in CRLF"
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert message.isascii()
    assert re.findall(rb"^([\w-]+):", message.partition(b"\r\n\r\n")[0], re.MULTILINE) == [name.encode() for name in HEADERS]
    mail = opened(message)
    assert mail.keys() == HEADERS
    for field, one in (("To", ANN.email), ("From", ORGANIZER)):
        assert [each.addr_spec for each in mail[field].addresses] == [one]
        assert not mail[field].defects
    assert str(mail["Subject"]) == line(hostile.subject, 250).replace("=?", "= ?")
    shown = Elements(part(mail, "text/html"))
    assert [tag for tag in shown.tags if tag[0] != "br"] == [tag for tag in HONEST[kind].tags if tag[0] != "br"]
    assert not [name for _, names in shown.tags for name in names if name.startswith("on")]
    for link in shown.links:
        assert re.match(r"https://(calendar\.google\.com|outlook\.live\.com|outlook\.office\.com|calendar\.example\.com)/", link), link


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_writes_no_header_no_recipient_and_no_tag(kind: str, name: str) -> None:
    check(kind, name)


@settings(max_examples=40, deadline=None)
@given(kind=kinds, name=texts)
def test_no_name_writes_a_header_a_recipient_or_a_tag(kind: str, name: str) -> None:
    check(kind, name)


@settings(max_examples=20, deadline=None)
@given(name=texts)
def test_the_file_has_the_same_lines_whatever_people_are_called(name: str) -> None:
    method, [event] = invitation(opened(octets(letter("moved", named(name)))))
    assert method == "REQUEST"
    assert str(event["ATTENDEE"]) == f"mailto:{ANN.email}"
    assert not event.subcomponents
    assert "ATTACH" not in event


@settings(max_examples=100, deadline=None)
@given(text=texts)
def test_a_line_is_one_line(text: str) -> None:
    found = line(text, 80)
    assert len(found) <= 80
    assert len(found.splitlines()) <= 1
    assert found == found.strip()
    assert line(found, 80) == found
    found.encode()


def test_the_parts_stand_where_mail_programs_look_for_them() -> None:
    mail = opened(octets(letter("moved")))
    assert [each.get_content_type() for each in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    calendar, file = list(mail.walk())[4:]
    assert (calendar.get_param("method"), calendar.get_param("charset"), calendar.get_filename()) == ("REQUEST", "utf-8", "invite.ics")
    assert calendar.get_content_disposition() is None
    assert (file.get_filename(), file.get_content_disposition()) == ("invite.ics", "attachment")
    assert part(mail, "text/calendar").encode() == part(mail, "application/ics").encode()
    raw = part(mail, "application/ics").encode()
    assert b"\r\n" in raw
    assert not re.search(rb"(?<!\r)\n", raw), "content lines end in CRLF (RFC 5545 §3.1)"


def test_a_letter_to_staff_carries_no_file() -> None:
    mail = opened(octets(refusal.refused(Reason.TAKEN, ONE, None, CIRCLE, NOW), recipient=CIRCLE.staff.email))
    assert [each.get_content_type() for each in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_the_headers_say_that_nobody_wrote_it() -> None:
    mail = opened(octets(letter("booked", speaking("fr"))))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Content-Language"] == "fr"
    assert mail["Date"].datetime == NOW
    assert str(mail["From"]) == "Demo Company <calendar@example.com>"


def test_the_same_letter_is_the_same_octets() -> None:
    for kind in OCCASIONS:
        assert octets(letter(kind)) == octets(letter(kind))


def test_the_message_id_follows_the_key_and_names_the_public_host() -> None:
    assert message_id("a", URL) == message_id("a", URL) != message_id("b", URL)
    assert re.fullmatch(r"<[0-9a-f]{32}@calendar\.example\.com>", message_id("a", URL))
    assert message_id("a", "http://[::1]:8080").endswith("@[::1]>")
    assert message_id("a", "https://bücher.example").endswith("@xn--bcher-kva.example>")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  ann@example.com ", "ann@example.com"),
        ("o'neil+x@example.com", "o'neil+x@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("ann@localhost", "ann@localhost"),
        ("", None),
        ("ann", None),
        ("@example.com", None),
        ("ann@", None),
        ("ann@exa mple.com", None),
        ("ann@example.com\r\nBcc: evil@example.net", None),
        ("ann@example.com,evil@example.net", None),
        ("<ann@example.com>", None),
        ("Ann <ann@example.com>", None),
        ("mailto:ann@example.com", None),
        ("mailto:a?bcc=evil@example.net", None),
        ("a%0d%0aBcc:@example.com", None),
        ('"ann b"@example.com', None),
        ("@relay.example:ann@example.com", None),
        ("-oQ/dir", None),
        ("ann@example..com", None),
        ("ann..b@example.com", None),
        (f"{'a' * 65}@example.com", None),
        (f"ann@{'a' * 64}.com", None),
        ("an\u2028n@example.com", None),
        ("an\u202en@example.com", None),
        ("an\ud800n@example.com", None),
        ("ann@[127.0.0.1]", None),
    ],
)
def test_only_a_plain_mailbox_is_written_to(written: str, found: str | None) -> None:
    assert address(written) == found


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40).map(lambda text: f"{text}@example.com") | st.text(max_size=40))
def test_whatever_passes_as_a_mailbox_is_exactly_one_in_the_header(text: str) -> None:
    found = address(text)
    if found is not None:
        mail = opened(octets(letter("booked"), recipient=found))
        read = [each.addr_spec.encode(errors="surrogateescape").decode() for each in mail["To"].addresses]
        assert read == [found]
        assert mail.keys() == HEADERS


def test_an_address_beyond_ascii_stands_in_the_header_as_it_is() -> None:
    message = octets(letter("booked"), recipient="jürgen@example.com")
    assert "\r\nTo: jürgen@example.com\r\n".encode() in message


def test_the_sender_is_a_mailbox_with_or_without_a_name() -> None:
    assert Mailbox.parse("Calendar <calendar@example.com>") == SENDER
    assert Mailbox.parse("calendar@localhost") == Mailbox("", "calendar@localhost")
    for wrong in ("", "nobody", "Calendar <calendar>", "jürgen@example.com"):
        with pytest.raises(Misconfigured):
            Mailbox.parse(wrong)
