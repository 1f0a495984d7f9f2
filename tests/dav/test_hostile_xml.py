"""XML that is sent to hurt: nothing is expanded, fetched or walked without end, and what is stored spoils no later answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.dav.hostile import PROPFIND, refused
from tests.dav.house import HERE, SPACES, Client, D, House

METHODS = {
    "PROPFIND": "<D:propfind {spaces}>{inside}</D:propfind>",
    "PROPPATCH": "<D:propertyupdate {spaces}>{inside}</D:propertyupdate>",
    "REPORT": "<C:calendar-query {spaces}>{inside}</C:calendar-query>",
    "MKCALENDAR": "<C:mkcalendar {spaces}>{inside}</C:mkcalendar>",
}
LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))


@pytest.fixture
def canary() -> Iterator[str]:
    """The address of somebody who must never be asked for anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/canary"
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("head", "inside"),
    [
        (f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>', "&l9;"),
        (f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 50_000),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "{canary}">]>', "&e;"),
        ('<!DOCTYPE x [<!ENTITY % e SYSTEM "{canary}"> %e;]>', ""),
        ('<!DOCTYPE x SYSTEM "{canary}">', ""),
        ('<!DOCTYPE x PUBLIC "-//X//EN" "{canary}">', ""),
    ],
    ids=["a billion laughs", "quadratic", "a file", "an address", "a parameter entity", "an external DTD", "a public DTD"],
)
def test_a_document_type_is_refused_before_anything_of_it_is_read(
    calm: House, john: Client, canary: str, method: str, head: str, inside: str
) -> None:
    path = "/dav/john-smith/new/" if method == "MKCALENDAR" else HERE
    answer = john.ask(method, path, head.replace("{canary}", canary) + METHODS[method].format(spaces=SPACES, inside=inside))
    refused(answer, 400, 403)
    assert b"root:" not in answer.body


def test_what_asks_to_be_included_is_a_property_nobody_knows(calm: House, john: Client, canary: str) -> None:
    inclusion = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><xi:include xmlns:xi="urn:x" href="{canary}"/>'
    sheet = f'<?xml version="1.0"?><?xml-stylesheet href="{canary}" type="text/xsl"?>'
    answer = john.ask("PROPFIND", HERE, sheet + PROPFIND.format(inclusion), Depth="0")
    assert answer.status == 207
    assert answer.missing(HERE) == {"{http://www.w3.org/2001/XInclude}include", "{urn:x}include"}
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    ("depth", "closed", "statuses"),
    [(31, True, (207,)), (32, True, (400,)), (1000, True, (400,)), (85_000, False, (400,)), (10**6, False, (413,))],
)
def test_xml_is_32_elements_deep_and_no_deeper(calm: House, john: Client, depth: int, closed: bool, statuses: tuple[int, ...]) -> None:
    inside = "<a>" * (depth - 2) + "</a>" * (depth - 2)
    body = PROPFIND.format(f"<D:x>{inside}</D:x>") if closed else "<a>" * depth
    answer = john.ask("PROPFIND", HERE, body, Depth="0")
    assert answer.status in statuses
    if answer.status != 207:
        refused(answer, *statuses)


def test_two_hundred_properties_can_be_asked_for_and_no_more_however_often_each(calm: House, john: Client) -> None:
    names = [f"<D:p{number}/>" for number in range(201)]
    assert len(john.propfind(HERE, "".join(names[:200])).missing(HERE)) == 200
    refused(john.ask("PROPFIND", HERE, PROPFIND.format("".join(names))), 400)
    often = john.propfind(HERE, "<D:getetag/>" * 20_000)
    assert len(list(often.tree.iter(f"{D}getetag"))) == 1
    refused(john.ask("PROPFIND", HERE, PROPFIND.format("<D:getetag/>" * 100_000)), 413)
    refused(john.ask("PROPFIND", HERE, PROPFIND.format("".join(f"<D:p{number}/>" for number in range(60_000)))), 413)


@pytest.mark.parametrize(
    "names",
    [
        '<X:a xmlns:X="urn:}}x"/><Y:b xmlns:Y="}}"/><Z:c xmlns:Z="{{urn:y}}z"/>',
        '<X:a xmlns:X="urn:&quot;&lt;&gt;&amp;\'"/>',
        '<a xmlns=""/>',
        "<X:a " + " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(8000)) + ' xmlns:X="urn:x"/>',
        f'<X:{"a" * 100_000} xmlns:X="urn:{"x" * 100_000}"/>',
    ],
    ids=["braces", "quotes", "none", "eight thousand", "long"],
)
def test_a_namespace_is_echoed_in_well_formed_xml_or_refused(calm: House, john: Client, names: str) -> None:
    answer = john.ask("PROPFIND", HERE, PROPFIND.format("{}").format(names), Depth="0")
    assert answer.status in (207, 400)
    if answer.status == 207:
        assert len(answer.missing(HERE)) >= 1


def test_too_many_namespaces_and_names_are_refused(calm: House, john: Client) -> None:
    refused(john.ask("PROPFIND", HERE, PROPFIND.format("".join(f'<a xmlns="urn:{number}"/>' for number in range(10_000)))), 400)
    refused(john.ask("PROPFIND", HERE, PROPFIND.format(f"<D:{'a' * 10**6}/>")), 413)


@pytest.mark.parametrize("inside", ["x" * 10**7, f"<!--{'x' * 10**7}-->", "&#65;" * 10**6], ids=["text", "a comment", "references"])
@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "REPORT"])
def test_megabytes_of_xml_are_not_read(calm: House, john: Client, method: str, inside: str) -> None:
    refused(john.ask(method, HERE, METHODS[method].format(spaces=SPACES, inside=inside)), 413)


@pytest.mark.parametrize(
    "body",
    [
        b'<D:propfind xmlns:D="DAV:"/><D:propfind xmlns:D="DAV:"/>',
        b'<D:propfind xmlns:D="DAV:"><D:prop>',
        b'<D:propfind xmlns:D="DAV:" a="1" a="2"/>',
        b'<D:propfind xmlns:D="DAV:"><D:prop>\xc3\x28</D:prop></D:propfind>',
        b'<D:propfind xmlns:D="DAV:"><D:prop>\xed\xa0\x80</D:prop></D:propfind>',
        b'<D:propfind xmlns:D="DAV:"><D:prop>&#0;&#xFFFE;</D:prop></D:propfind>',
        b'<D:propfind xmlns:D="DAV:">&nbsp;</D:propfind>',
        b'<D:propfind xmlns:D="">',
        *(f'<?xml version="1.0" encoding="{name}"?><D:propfind xmlns:D="DAV:"/>'.encode() for name in ("utf-7", "rot13", "x", "", "idna")),
        '<?xml version="1.0" encoding="UTF-16"?><D:propfind xmlns:D="DAV:"/>'.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "REPORT"])
def test_what_is_not_well_formed_utf_8_is_refused(calm: House, john: Client, method: str, body: bytes) -> None:
    refused(john.ask(method, HERE, body), 400)


@pytest.mark.parametrize(
    "body", ["{}", "<propfind/>", "<D:prop xmlns:D='DAV:'/>", "<D:propfind xmlns:D='dav:'/>", "<D:propfind xmlns:D='DAV:'/>"]
)
def test_propfind_has_a_body_that_is_one_or_none(calm: House, john: Client, body: str) -> None:
    refused(john.ask("PROPFIND", HERE, body, Depth="0"), 400)
    everything = john.ask("PROPFIND", HERE, "", Depth="0")
    assert everything.status == 207
    assert f"{D}resourcetype" in everything.responses[HERE]
    refused(john.ask("PROPPATCH", HERE, ""), 400)
    refused(john.ask("REPORT", HERE, ""), 400)


class TestStored:
    """What a client says about its calendar is told in every later answer."""

    def patch(self, john: Client, inside: str) -> dict[str, str]:
        wish = METHODS["PROPPATCH"].format(spaces=SPACES, inside=f"<D:set><D:prop>{inside}</D:prop></D:set>")
        answer = john.ask("PROPPATCH", HERE, wish)
        assert answer.status == 207, answer.text
        return {item.tag: (each.findtext(f"{D}status") or "").split()[1] for each in answer.tree.iter(f"{D}propstat") for item in each[0]}

    @pytest.mark.parametrize(
        "name", ["]]&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;", "<![CDATA[<b>&amp;]]>", "a\u2028b\u0085c\U0001f600", "\ud7ff\ufffd"]
    )
    def test_a_name_of_markup_is_told_as_it_is(self, john: Client, name: str) -> None:
        plain = {"]]&gt;": "]]>", "<![CDATA[<b>&amp;]]>": "<b>&amp;"}.get(name, name.replace("&lt;", "<").replace("&gt;", ">"))
        assert self.patch(john, f"<D:displayname>{name}</D:displayname>") == {f"{D}displayname": "200"}
        for path, depth in ((HERE, "0"), ("/dav/john-smith/", "1")):
            assert john.propfind(path, "<D:displayname/>", depth).responses[HERE][f"{D}displayname"] == plain

    def test_what_xml_cannot_carry_is_not_stored(self, calm: House, john: Client) -> None:
        for name in ("\x1f", "&#x1f;", "\ufffe"):
            wish = METHODS["PROPPATCH"].format(
                spaces=SPACES, inside=f"<D:set><D:prop><D:displayname>{name}</D:displayname></D:prop></D:set>"
            )
            refused(john.ask("PROPPATCH", HERE, wish), 400)
        wish = METHODS["PROPPATCH"].format(
            spaces=SPACES, inside=f"<D:set><D:prop><D:displayname>{'x' * 10**6}</D:displayname></D:prop></D:set>"
        )
        refused(john.ask("PROPPATCH", HERE, wish), 413)

    def test_a_very_long_name_is_not_kept(self, john: Client) -> None:
        assert self.patch(john, f"<D:displayname>{'x' * 200_000}</D:displayname>") == {f"{D}displayname": "507"}

    def test_dead_properties_are_kept_to_their_number_and_depth(self, calm: House, john: Client) -> None:
        wish = METHODS["PROPPATCH"].format(spaces=SPACES, inside="<D:set><D:prop>{}</D:prop></D:set>")
        many = "".join(f'<n{number} xmlns="urn:x"/>' for number in range(10_000))
        refused(john.ask("PROPPATCH", HERE, wish.format(many)), 400, 403, 413, 507)
        refused(john.ask("PROPPATCH", HERE, wish.format('<n xmlns="urn:x">' + "<a>" * 2000 + "</a>" * 2000 + "</n>")), 400)
