"""litmus' files and folders arrive as events and calendars, and come back as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from conformance.costume import worn
from tests.clients.conftest import house
from tests.dav.house import SPACES, Answer, Client, House, raw

__all__ = ["house"]
HOME = "/dav/john-smith/"


@dataclass(frozen=True)
class Litmus:
    """Speaks as litmus does, to a server in costume."""

    port: int
    credentials: str

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return raw(self.port, method, path, body, {"Authorization": self.credentials, **named})


@pytest.fixture(params=[False, True], ids=["objects", "calendars"])
def as_calendars(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def litmus(house: House, as_calendars: bool) -> Iterator[Litmus]:
    with worn(f"http://127.0.0.1:{house.port}{HOME}", as_calendars=as_calendars) as url:
        assert urlsplit(url).path == HOME
        litmus = Litmus(urlsplit(url).port or 0, house.client().credentials)
        assert litmus.ask("MKCOL", f"{HOME}litmus/").status == 201
        yield litmus


@pytest.mark.parametrize("as_calendars", [False], indirect=True)
@pytest.mark.parametrize("octets", [b"", b"a line of text\n", bytes(range(256))])
def test_a_file_comes_back_octet_for_octet(litmus: Litmus, octets: bytes) -> None:
    for text in (octets, octets + b"more"):
        assert litmus.ask("PUT", f"{HOME}litmus/res", text).status in (201, 204)
        assert litmus.ask("GET", f"{HOME}litmus/res").body == text
    assert litmus.ask("MOVE", f"{HOME}litmus/res", Destination=f"http://127.0.0.1:{litmus.port}{HOME}litmus/res2").status == 201
    assert litmus.ask("PUT", f"{HOME}litmus/res2", octets).status == 204, "under the UID that it was born with"


@pytest.mark.parametrize("as_calendars", [True], indirect=True)
def test_a_file_that_is_a_calendar_keeps_properties_under_its_own_address(house: House, litmus: Litmus) -> None:
    path = f"{HOME}litmus/prop"
    assert litmus.ask("PUT", path, b"a line of text\n").status == 201
    wish = f'<D:propertyupdate {SPACES}><D:set><D:prop><x xmlns="urn:x">value</x></D:prop></D:set></D:propertyupdate>'
    assert list(litmus.ask("PROPPATCH", path, wish).responses) == [path]
    found = litmus.ask("PROPFIND", path, f'<D:propfind {SPACES}><D:prop><x xmlns="urn:x"/></D:prop></D:propfind>', Depth="0")
    assert found.responses == {path: {"{urn:x}x": "value"}}
    assert f"{HOME}litmus-prop/" in Client(house, "john-smith", house.client().password).propfind(HOME, "<D:getetag/>", "1").responses
    assert litmus.ask("DELETE", path).status == 204


def test_folders_lie_beside_each_other(house: House, litmus: Litmus) -> None:
    assert litmus.ask("MKCOL", f"{HOME}litmus/coll/").status == 201
    assert litmus.ask("MKCOL", f"{HOME}litmus/coll/").status == 405
    assert f"{HOME}litmus-coll/" in house.client().propfind(HOME, "<D:resourcetype/>", "1").responses
    assert litmus.ask("DELETE", f"{HOME}litmus/coll/").status == 204
    assert litmus.ask("PROPFIND", f"{HOME}litmus/coll/", Depth="0").status == 404


@pytest.mark.parametrize("as_calendars", [False], indirect=True)
def test_what_the_server_refuses_is_refused(litmus: Litmus) -> None:
    assert litmus.ask("PUT", f"{HOME}litmus/plain", b"x").status == 201
    assert litmus.ask("MKCOL", f"{HOME}litmus/plain/").status in (403, 405), "a folder does not take the place of a file"
    assert litmus.ask("DELETE", f"{HOME}litmus/nothing").status == 404
    copied = litmus.ask("COPY", f"{HOME}litmus/plain", Destination=f"http://127.0.0.1:{litmus.port}{HOME}litmus/copy")
    assert (copied.status, copied.condition) == (403, "{urn:ietf:params:xml:ns:caldav}no-uid-conflict")
