"""Addresses that somebody gives us to call: every spelling that would lead us astray is refused (trust.md A140, A141, A143)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from gateway.egress import Egress, own, public, target_of
from gateway.egress.out import Connect
from gateway.errors import Invalid
from tests.push.house import never

ASTRAY = [
    # this machine, in numbers
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://4294967295/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7f.0.0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.01/",
    "https://127.000.000.001/",
    "https://127.0.0.1./",
    "https://256.0.0.1/",
    "https://1.2.3/",
    "https://1.2.3.4.5/",
    "https://0x/",
    "https://example.0x1/",
    # in IPv6, and IPv4 hidden there
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::10.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[2a01:4f8::5efe:127.0.0.1]/",
    "https://[2a01:4f8::200:5efe:10.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[ff02::1]/",
    "https://[fec0::1]/",
    "https://[100::1]/",
    "https://[:::]/",
    "https://[1.2.3.4]/",
    "https://::1/",
    # other networks that are none of the internet
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://203.0.113.9/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://localhost/",
    "https://intranet/",
    # what looks like one host and is another
    "https://push.example.com@127.0.0.1/",
    "https://user:secret@push.example.com/",
    "https://push.example.com\\@127.0.0.1/",
    "https:\\\\push.example.com/",
    "https://push.example.com\\.evil.example/",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://push。example.com/",
    "https://püsh.example.com/",
    "https://push.example.com%2f@127.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://push.example.com:443:80/",
    "https://push.example.com#@127.0.0.1/",
    "https://push.example.com/a#b",
    "https://push..example.com/",
    "https://-push.example.com/",
    "https://.example.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://{'a.' * 130}com/",
    f"https://push.example.com/{'a' * 2048}",
    # what cuts a request in two
    "https://push.example.com/\r\nHost: evil.example",
    "https://push.example.com/a b",
    "https://push.example.com/\ta",
    "https://push.exa\tmple.com/",
    "https://push.example.com/\0",
    " https://push.example.com/",
    "https://push.example.com/ ",
    "https://push.example.com/é",
    # other schemes
    "http://push.example.com/",
    "file:///etc/passwd",
    "gopher://push.example.com/",
    "webcal://push.example.com/",
    "ftp://push.example.com/",
    "dict://push.example.com:2628/",
    "javascript:alert(1)",
    "//push.example.com/",
    "/etc/passwd",
    "push.example.com",
    "https:push.example.com",
    "https:///path",
    "https://",
    "",
    # other services
    "https://push.example.com:0/",
    "https://push.example.com:22/",
    "https://push.example.com:25/",
    "https://push.example.com:80/",
    "https://push.example.com:65536/",
    "https://push.example.com:99999/",
    "https://push.example.com:123456/",
    "https://push.example.com:-1/",
    "https://push.example.com:+443/",
    "https://push.example.com:/",
]


@pytest.mark.parametrize("url", ASTRAY)
def test_an_address_that_leads_astray_is_refused_before_anybody_is_asked(url: str) -> None:
    connect: Connect = never
    egress = Egress(resolve=never, connect=connect)
    with pytest.raises(Invalid):
        egress.check(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://push.example.com/a/b?c=d&e=%20", "push.example.com", 443, "/a/b?c=d&e=%20"),
        ("HTTPS://Push.Example.COM", "push.example.com", 443, "/"),
        ("https://push.example.com?x", "push.example.com", 443, "/?x"),
        ("https://push.example.com:8443/UP?t=@a:b", "push.example.com", 8443, "/UP?t=@a:b"),
        ("https://xn--psh-hoa.example/", "xn--psh-hoa.example", 443, "/"),
        ("https://fcm.googleapis.com/fcm/send/c:APA91b-_", "fcm.googleapis.com", 443, "/fcm/send/c:APA91b-_"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2a01:4f8:0:0::1]:8443/", "2a01:4f8::1", 8443, "/"),
        ("https://[64:ff9b::8.8.8.8]/", "64:ff9b::808:808", 443, "/"),
        ("https://my_host.example.com/", "my_host.example.com", 443, "/"),
        ("https://7.example.com/", "7.example.com", 443, "/"),
    ],
)
def test_an_honest_address_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = Egress(resolve=never, connect=never).check(url)
    assert (target.scheme, target.host, target.port, target.path) == ("https", host, port, path)


def test_origin_and_host_header_leave_out_the_usual_port_and_bracket_ipv6() -> None:
    assert target_of("https://push.example.com:443/x").origin == "https://push.example.com"
    assert target_of("https://push.example.com:8443/x").authority == "push.example.com:8443"
    assert target_of("https://[2a01:4f8::1]/x").authority == "[2a01:4f8::1]"


def test_http_is_for_those_who_ask_for_it() -> None:
    egress = Egress(resolve=never, connect=never)
    assert egress.check("http://calendars.example.com/x.ics", plain=True).port == 80
    for url in ("http://127.0.0.1/", "http://10.0.0.1/", "http://push.example.com:443/x y"):
        with pytest.raises(Invalid):
            egress.check(url, plain=True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/", "https://10.0.0.1/", "http://localhost:9999/", "https://[::1]:8443/", "https://[fd00::1]/"]
)
def test_an_operator_may_open_his_own_networks(url: str) -> None:
    assert Egress(allow_private=True, resolve=never, connect=never).check(url).port > 0


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]:8080/",
        "https://224.0.0.1/",
        "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "http://8.8.8.8/",
        "https://127.0.0.1:22/",
    ],
)
def test_what_nobody_needs_stays_closed_all_the_same(url: str) -> None:
    with pytest.raises(Invalid):
        Egress(allow_private=True, resolve=never, connect=never).check(url)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2a00:1450:4001::1", "2600::1", "64:ff9b::1.1.1.1"])
def test_the_public_internet_is_public(address: str) -> None:
    assert public(ip_address(address))
    assert not own(ip_address(address))
