"""What the benchmark reads out of answers, whichever prefixes a server likes."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from bench import dav
from gateway.model import Span

LISTING = b"""<?xml version='1.0'?>
<multistatus xmlns="DAV:"><response><href>/u/bench/</href><propstat><prop><getetag>"c"</getetag></prop></propstat></response>
<response><href>/u/bench/s%31.ics</href><propstat><prop><getetag>&quot;a1&quot;</getetag></prop></propstat></response>
<response><href>/u/bench/n2.ics</href><status>HTTP/1.1 404 Not Found</status></response>
<sync-token>http://example.com/7?a=1&amp;b=2</sync-token></multistatus>"""


def test_names_are_those_of_objects_and_not_of_the_calendar() -> None:
    assert dav.names(LISTING) == ["s1.ics", "n2.ics"]
    assert dav.names(LISTING.replace(b"<", b"<D:").replace(b"<D:/", b"</D:").replace(b"<D:?", b"<?")) == ["s1.ics", "n2.ics"]


def test_an_etag_is_what_it_was_before_it_was_escaped() -> None:
    assert dav.etags(LISTING) == {"s1.ics": '"a1"'}


def test_a_token_is_sent_back_as_it_came() -> None:
    assert dav.token(LISTING) == "http://example.com/7?a=1&amp;b=2"
    assert dav.token(b"<multistatus/>") == ""


def test_busy_time_is_read_in_both_forms_and_merged() -> None:
    text = (
        "BEGIN:VFREEBUSY\r\nFREEBUSY;FBTYPE=BUSY:20260105T090000Z/PT30M,20260105T093000Z/2026\r\n 0105T100000Z\r\n"
        "FREEBUSY;FBTYPE=FREE:20260105T120000Z/20260105T130000Z\r\nFREEBUSY:20260106T080000Z/P1DT1H\r\nEND:VFREEBUSY\r\n"
    )
    assert dav.busy(text.encode()) == [
        Span(datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 1, 5, 10, tzinfo=UTC)),
        Span(datetime(2026, 1, 6, 8, tzinfo=UTC), datetime(2026, 1, 7, 9, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    "body",
    [
        dav.CTAG,
        dav.ETAGS,
        dav.HOME,
        dav.query(datetime(2026, 1, 5, tzinfo=UTC), None, text=False),
        dav.query(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC), text=True),
        dav.multiget(["/a/b.ics"]),
        dav.sync(dav.token(LISTING)),
        dav.make_calendar("one"),
    ],
)
def test_what_is_asked_is_well_formed(body: str) -> None:
    assert ElementTree.fromstring(body).tag.startswith("{")


def test_a_phone_asks_for_thirty_three_properties() -> None:
    assert len(ElementTree.fromstring(dav.HOME)[0]) == 33
