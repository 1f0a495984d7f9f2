"""What both consent pages share: the page itself, the way back to the client, and PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from gateway.fakes.wire import Reply, loopback

HTML = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}
label{{display:block;margin:.4rem 0}}button{{font:inherit;padding:.5rem 1.2rem;margin:1rem .6rem 0 0}}small{{color:#666}}</style></head>
<body><h1>{title}</h1>{body}
<p><small>This page stands in for the real one. Nothing you do here leaves this machine.</small></p></body></html>
"""


def page(title: str, provider: str, action: str, asked: str, people: Iterable[tuple[str, bool]], scopes: Iterable[str]) -> Reply:
    """Who are you, and what may the app do? `asked` is the query of the request; `people` are logins, and who is chosen already."""
    persons = "".join(
        f'<label><input type="radio" name="account" value="{escape(login)}"{" checked" if chosen else ""}> {escape(login)}</label>'
        for login, chosen in people
    )
    wishes = "".join(
        f'<label><input type="checkbox" name="scope:{escape(scope)}" value="1" checked> {escape(scope)}</label>' for scope in scopes
    )
    body = (
        f'<form method="post" action="{escape(action)}"><input type="hidden" name="asked" value="{escape(asked)}">'
        f"<p>An app asks for access to your {escape(provider)} account.</p>{persons}<h2>It may</h2>{wishes}"
        '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>'
    )
    return Reply(headers=HTML, body=_PAGE.format(title=escape(title), body=body).encode())


def failure(title: str, sentence: str, status: int = 400) -> Reply:
    """The provider's own error page: the client never hears of it."""
    return Reply(status=status, headers=HTML, body=_PAGE.format(title=escape(title), body=f"<p>{escape(sentence)}</p>").encode())


def back(address: str, **answers: str) -> Reply:
    """The browser goes back to the client with these answers; empty ones are left out."""
    parts = urlsplit(address)
    query = "&".join(each for each in (parts.query, urlencode({name: value for name, value in answers.items() if value})) if each)
    return Reply(status=302, headers={"Location": urlunsplit(parts._replace(query=query)), "Cache-Control": "no-store"})


def posted(address: str, **answers: str) -> Reply:
    """The same by a form that the browser sends of itself (OAuth 2.0 Form Post Response Mode)."""
    fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in answers.items() if value)
    script = "<script>document.forms[0].submit()</script>"
    form = f'<form method="post" action="{escape(address)}">{fields}<button>Continue</button></form>{script}'
    return Reply(headers=HTML, body=_PAGE.format(title="Working…", body=form).encode())


def welcome(address: str) -> bool:
    """Whether a client may live there: HTTPS, or plain HTTP on this machine."""
    parts = urlsplit(address)
    return not parts.fragment and (parts.scheme == "https" or (parts.scheme == "http" and loopback(address)))


def proven(challenge: str, method: str, verifier: str) -> bool:
    """Whether the verifier is the one whose challenge came with the request (RFC 7636 §4.6). Without a challenge there must be none."""
    if not challenge:
        return not verifier
    if method == "S256":
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    else:
        made = verifier
    return bool(verifier) and hmac.compare_digest(made, challenge)


def basic(authorization: str) -> tuple[str, str]:
    """The client's id and secret from HTTP Basic, empty when there are none (RFC 6749 §2.3.1)."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(coded).decode().partition(":")
    except ValueError:
        return "", ""
    return name, secret
