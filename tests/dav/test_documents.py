"""Reading and writing XML: what a request may contain, and that whatever goes out comes in again."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Invalid, TooLarge
from plugins import document
from plugins.multistatus import answered, attribute, empty, error, escape, escaped, failed, filled, href, multistatus

PROPFIND = '<D:propfind xmlns:D="DAV:"><D:prop>{}</D:prop></D:propfind>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>' + PROPFIND.format("&b;")

XML_TEXT = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="".join(map(chr, [*range(9), 11, 12, *range(14, 32)])) + "\ufffe\uffff")
)


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS,
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x"><D:propfind xmlns:D="DAV:"/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        "<a>&nothing;</a>",
        "<a><b></a></b>",
        "<a/><b/>",
        '<a x="1" x="2"/>',
        "<a>&#1;</a>",
        "<a>\x00</a>",
        "no xml",
        "{}",
        '<?xml version="1.0" encoding="rot13"?><a/>',
        '<?xml version="1.0" encoding="utf-7"?><a/>',
        '<?xml version="1.0" encoding="iso-8859-1"?><a/>',
        "<x:a/>",
    ],
)
def test_xml_that_is_dangerous_or_broken_is_refused(body: str) -> None:
    with pytest.raises(Invalid):
        document.parsed(body.encode())


@pytest.mark.parametrize("body", [b"\xff\xfe<\x00a\x00/\x00>\x00", b"<a>\xff</a>", "<a>é</a>".encode("latin-1")])
def test_xml_in_another_encoding_than_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        document.parsed(body)


@pytest.mark.parametrize("levels", [33, 1000, 35_000])
def test_deep_nesting_is_refused(levels: int) -> None:
    with pytest.raises(Invalid):
        document.parsed(b"<a>" * levels + b"</a>" * levels)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert document.parsed(b"<a>" * 32 + b"</a>" * 32) is not None


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        document.parsed(b"<a>" + b" " * 256 * 1024 + b"</a>")


def test_an_empty_body_is_no_document() -> None:
    assert document.parsed(b" \r\n") is None


def test_more_properties_than_the_limit_are_refused_and_doubles_do_not_count() -> None:
    def asked(names: list[str]) -> list[str]:
        root = document.parsed(PROPFIND.format("".join(f"<D:{name}/>" for name in names)).encode())
        assert root is not None
        return document.names_in(root[0])

    assert len(asked([f"p{number}" for number in range(200)])) == 200
    assert asked(["getetag"] * 10_000) == ["{DAV:}getetag"]
    with pytest.raises(Invalid):
        asked([f"p{number}" for number in range(201)])


@given(XML_TEXT)
def test_text_comes_out_of_xml_as_it_went_in(text: str) -> None:
    assert (ElementTree.fromstring(f"<a>{escape(text)}</a>").text or "") == text
    assert escaped(text.encode()) == escape(text).encode()
    assert ElementTree.fromstring(f'<a x="{attribute(text)}"/>').get("x") == text


@given(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9._-]{0,20}", fullmatch=True), XML_TEXT.filter(lambda text: "}" not in text)
)  # expat refuses such a namespace
def test_whatever_property_is_asked_for_the_answer_names_it_in_well_formed_xml(name: str, namespace: str) -> None:
    clark = f"{{{namespace}}}{name}" if namespace else name
    body = multistatus([answered("/a/", [filled(clark, escape("x"))], [empty(clark)]), failed("/b", 404)])
    found = [element.tag for prop in ElementTree.fromstring(body).iter("{DAV:}prop") for element in prop]
    assert found == [clark, clark]


def test_an_address_is_percent_encoded_and_at_signs_too() -> None:
    assert href("/dav/john/a@b é?#%.ics") == "/dav/john/a%40b%20%C3%A9%3F%23%25.ics"


def test_an_error_names_its_condition_and_says_a_sentence() -> None:
    root = ElementTree.fromstring(error("{urn:ietf:params:xml:ns:caldav}no-uid-conflict", "Taken <already>.", at="/dav/a/b.ics"))
    assert root.tag == "{DAV:}error"
    assert root.findtext("{urn:ietf:params:xml:ns:caldav}no-uid-conflict/{DAV:}href") == "/dav/a/b.ics"
    assert "".join(root.itertext()).endswith("Taken <already>.")


PIECES = st.lists(
    st.sampled_from(
        [
            '<D:sync-collection xmlns:D="DAV:">',
            '<sync-collection xmlns="DAV:">',
            '<D:sync-collection xmlns:D="other:">',
            "</D:sync-collection>",
            "</sync-collection>",
            "<D:sync-token>data:,12345678-abcdef0123-7</D:sync-token>",
            "<D:sync-token>data:,12345678-abcdef0123-8</D:sync-token>",
            "<sync-token>data:,12345678-abcdef0123-7</sync-token>",
            '<D:sync-token x="1">data:,7</D:sync-token>',
            "<D:sync-token>  data:,7\n</D:sync-token>",
            "<D:sync-token>a&amp;b</D:sync-token>",
            "<D:sync-token>é</D:sync-token>",
            "<D:sync-token><D:x/>7</D:sync-token>",
            "<D:sync-token/>",
            "<D:sync-token></D:sync-token>",
            "<?x <D:sync-token>pi</D:sync-token>?>",
            "<!-- <D:sync-token>comment</D:sync-token> -->",
            "<D:sync-level>1</D:sync-level>",
            "<D:prop><D:getetag/></D:prop>",
            "<D:prop><D:sync-token>9</D:sync-token></D:prop>",
            "text",
            "<!DOCTYPE x>",
        ]
    ),
    max_size=8,
)


def told(body: bytes, read: Callable[[bytes], ElementTree.Element | None]) -> str:
    try:
        root = read(body)
    except (Invalid, TooLarge) as error:
        return f"{type(error).__name__}: {error}"
    return "" if root is None else ElementTree.tostring(root, "unicode")


@given(st.sampled_from(["D:", ""]), PIECES)
def test_a_report_is_read_as_any_other_document_is_and_the_second_time_too(prefix: str, pieces: list[str]) -> None:
    space = "xmlns:D" if prefix else "xmlns"
    whole = f'<{prefix}sync-collection {space}="DAV:" xmlns:D="DAV:">' if not prefix else f'<{prefix}sync-collection {space}="DAV:">'
    for text in ("".join(pieces), whole + "".join(pieces) + f"</{prefix}sync-collection>"):
        body = text.encode()
        assert [told(body, document.report) for _ in range(2)] == [told(body, document.parsed)] * 2
