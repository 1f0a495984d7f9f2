"""Google's consent and tokens: code flow with PKCE, refresh, revocation, and the ways a refresh token dies."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

from gateway.fakes import consent, keys
from gateway.fakes.google import scopes as table
from gateway.fakes.google.state import LIVE_TOKENS, TESTING, Access, Account, GoogleWorld, Grant
from gateway.fakes.wire import Json, Rejected, Reply, Request

AUTHORIZE = "/o/oauth2/v2/auth"
DECISION = "/o/oauth2/v2/auth/decision"
TOKEN = "/token"  # noqa: S105 an address
REVOKE = "/revoke"
ACCESS_SECONDS = 3599
CODE_LIFE = timedelta(minutes=10)


def problem(status: int, error: str, description: str) -> Rejected:
    return Rejected(Reply.of({"error": error, "error_description": description}, status))


def authorize(world: GoogleWorld, request: Request) -> Reply:
    """The consent page; with the knob `auto_consent`, or `approve=auto` in the query, what a person who says yes causes."""
    asked = dict(request.query)
    _check(world, asked)
    chosen = asked.get("login_hint") or world.knobs.account or next(iter(world.accounts), "")
    wanted = asked["scope"].split()
    if not (world.knobs.auto_consent or asked.get("approve") == "auto"):
        people = [(login, login == chosen) for login in world.accounts]
        return consent.page("Sign in with Google", "Google", DECISION, request.target.partition("?")[2], people, wanted)
    unticked = {table.short(scope) for scope in world.knobs.untick}
    return _granted(world, asked, chosen, [scope for scope in wanted if table.short(scope) not in unticked])


def decision(world: GoogleWorld, request: Request) -> Reply:
    """What the person has pressed on the page."""
    form = request.form()
    asked = dict(parse_qsl(form.get("asked", ""), keep_blank_values=True))
    _check(world, asked)
    if form.get("decision") != "allow":
        return consent.back(asked["redirect_uri"], error="access_denied", state=asked.get("state", ""))
    return _granted(world, asked, form.get("account", ""), [scope for scope in asked["scope"].split() if f"scope:{scope}" in form])


def _check(world: GoogleWorld, asked: dict[str, str]) -> None:
    """Raises Rejected with the error page that a client never hears of."""

    def stop(code: str, sentence: str, status: int = 400) -> Rejected:
        return Rejected(consent.failure("Access blocked: authorization error", f"Error {status}: {code}. {sentence}", status))

    if asked.get("client_id") != world.client_id:
        raise stop("invalid_client", "The OAuth client was not found.", 401)
    if not consent.welcome(asked.get("redirect_uri", "")):
        raise stop("redirect_uri_mismatch", "The redirect URI is not registered.")
    if asked.get("response_type") != "code":
        raise stop("unsupported_response_type", "Only the code flow is understood.")
    wanted = asked.get("scope", "").split()
    if not wanted or not all(table.short(scope) in table.KNOWN for scope in wanted):
        raise stop("invalid_scope", "Some requested scopes were invalid.")
    if asked.get("code_challenge") and asked.get("code_challenge_method", "plain") not in ("S256", "plain"):
        raise stop("invalid_request", "The code challenge method is not understood.")


def _granted(world: GoogleWorld, asked: dict[str, str], login: str, granted: list[str]) -> Reply:
    if login not in world.accounts:
        raise Rejected(consent.failure("Sign in with Google", "Couldn't find your Google Account.", 400))
    sign_in = {"openid", "email", "profile"}
    if not granted or set(granted) <= sign_in < set(asked["scope"].split()):
        return consent.back(asked["redirect_uri"], error="access_denied", state=asked.get("state", ""))
    code = f"4/0A{world.chance.text(60)}"
    before = any(each.login == login and each.client == asked["client_id"] and each.refresh for each in world.grants)
    world.codes[code] = {
        "login": login,
        "scopes": granted,
        "redirect_uri": asked["redirect_uri"],
        "challenge": asked.get("code_challenge", ""),
        "method": asked.get("code_challenge_method", "plain"),
        # A second consent brings no second refresh token, unless the client insists on the page.
        "offline": asked.get("access_type") == "offline" and (not before or "consent" in asked.get("prompt", "").split()),
        "until": world.now + CODE_LIFE,
        "nonce": asked.get("nonce", ""),
    }
    return consent.back(asked["redirect_uri"], state=asked.get("state", ""), code=code, scope=" ".join(granted))


def token(world: GoogleWorld, request: Request) -> Reply:
    """The token endpoint. Raises Rejected with OAuth's errors (RFC 6749 §5.2)."""
    form = request.form()
    named = consent.basic(request.headers.get("authorization", ""))
    client, secret = form.get("client_id") or named[0], form.get("client_secret") or named[1]
    if client != world.client_id:
        raise problem(401, "invalid_client", "The OAuth client was not found.")
    if secret != world.client_secret:
        raise problem(401, "invalid_client", "Unauthorized")
    match form.get("grant_type"):
        case "authorization_code":
            return _redeemed(world, form, request.base)
        case "refresh_token":
            return _refreshed(world, form, request.base)
        case "" | None:
            raise problem(400, "invalid_request", "Missing required parameter: grant_type")
        case other:
            raise problem(400, "unsupported_grant_type", f"Invalid grant_type: {other}")


def _redeemed(world: GoogleWorld, form: dict[str, str], base: str) -> Reply:
    code = world.codes.pop(form.get("code", ""), None)
    if code is None:
        raise problem(400, "invalid_grant", "Malformed auth code.")
    if code["until"] <= world.now:
        raise problem(400, "invalid_grant", "Bad Request")
    if code["redirect_uri"] != form.get("redirect_uri"):
        raise problem(400, "redirect_uri_mismatch", "Bad Request")
    if not consent.proven(code["challenge"], code["method"], form.get("code_verifier", "")):
        raise problem(400, "invalid_grant", "Invalid code verifier." if form.get("code_verifier") else "Missing code verifier.")
    grant = issue(world, code["login"], code["scopes"], offline=code["offline"])
    return _answer(world, grant, base, code["nonce"], refresh=bool(grant.refresh))


def _refreshed(world: GoogleWorld, form: dict[str, str], base: str) -> Reply:
    given = form.get("refresh_token", "")
    grant = next((each for each in world.grants if given and each.refresh == given), None)
    if grant is None or grant.dead(world.now):
        if grant is not None:
            end(world, grant)
        raise problem(400, "invalid_grant", "Token has been expired or revoked.")
    wanted = form.get("scope", "").split()
    if not set(wanted) <= set(grant.scopes):
        raise problem(400, "invalid_scope", "Bad Request")
    return _answer(world, grant, base, "", refresh=False)


def issue(world: GoogleWorld, login: str, scopes: list[str], *, offline: bool = True) -> Grant:
    """A consent as if the person had given it. The hundred-and-first living refresh token silently ends the oldest."""
    grant = Grant(
        login=login,
        client=world.client_id,
        scopes=tuple(scopes),
        refresh=f"1//0{world.chance.text(90)}" if offline else "",
        created=world.now,
        used=world.now,
        testing=world.knobs.testing,
    )
    world.grants.append(grant)
    living = [each for each in world.grants if each.login == login and each.client == grant.client and each.refresh]
    for oldest in living[:-LIVE_TOKENS]:
        end(world, oldest)
    return grant


def access(world: GoogleWorld, grant: Grant) -> str:
    """A new access token of the consent."""
    made = f"ya29.a0{world.chance.text(80)}"
    for old in [each for each, kept in world.access.items() if kept.until <= world.now]:
        del world.access[old]
    world.access[made] = Access(grant=grant, until=world.now + timedelta(seconds=ACCESS_SECONDS))
    grant.used = world.now
    return made


def _answer(world: GoogleWorld, grant: Grant, base: str, nonce: str, *, refresh: bool) -> Reply:
    told: Json = {
        "access_token": access(world, grant),
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(grant.scopes),
        "token_type": "Bearer",
    }
    if refresh:
        told["refresh_token"] = grant.refresh
    if grant.testing and grant.refresh:
        told["refresh_token_expires_in"] = int((grant.created + TESTING - world.now).total_seconds())
    if "openid" in grant.scopes:
        told["id_token"] = keys.signed(_identity(world, grant, base) | ({"nonce": nonce} if nonce else {}))
    return Reply.of(told, Cache_Control="no-store")


def _identity(world: GoogleWorld, grant: Grant, base: str) -> Json:
    now = int(world.now.timestamp())
    return {"iss": base, "aud": grant.client, "azp": grant.client, "iat": now, "exp": now + 3600} | profile(world.accounts[grant.login])


def profile(account: Account) -> Json:
    return {"sub": account.sub, "email": account.login, "email_verified": True, "name": account.name}


def revoke(world: GoogleWorld, request: Request) -> Reply:
    """The client gives a consent back, by either of its tokens. Raises Rejected with 400."""
    given = request.first("token") or request.form().get("token", "")
    held = world.access.get(given)
    grant = held.grant if held else next((each for each in world.grants if given and each.refresh == given), None)
    if grant is None or grant.ended:
        raise problem(400, "invalid_token", "Token expired or revoked")
    end(world, grant)
    return Reply.of({})


def end(world: GoogleWorld, grant: Grant) -> None:
    """Neither of its tokens is good for anything any more."""
    grant.ended = True
    world.grants.remove(grant)
