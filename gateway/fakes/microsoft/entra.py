"""Microsoft's identity platform, v2.0: authorities, consent, tokens, and refresh tokens that change whenever they are used."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qsl

from gateway.fakes import consent, keys
from gateway.fakes.microsoft.state import CONSUMERS, REFRESH_IDLE, Access, Grant, Mailbox, MicrosoftWorld
from gateway.fakes.wire import Json, Rejected, Reply, Request

ACCESS_SECONDS = 3599
CODE_LIFE = timedelta(minutes=10)
RESERVED = ("openid", "profile", "offline_access", "email")
GRAPH = "https://graph.microsoft.com/"
KNOWN = (*RESERVED, "User.Read", "Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic", "MailboxSettings.Read")


def problem(world: MicrosoftWorld, error: str, code: int, sentence: str, status: int = 400, suberror: str = "") -> Rejected:
    """An error of the token endpoint: OAuth's word, and Entra's number."""
    trace, correlation = world.chance.guid(), world.chance.guid()
    stamp = world.now.strftime("%Y-%m-%d %H:%M:%SZ")
    body: Json = {
        "error": error,
        "error_description": f"AADSTS{code}: {sentence} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
    }
    return Rejected(Reply.of(body | ({"suberror": suberror} if suberror else {}), status))


def tenant_of(world: MicrosoftWorld, authority: str) -> str:
    """The id of the tenant an authority names; "common" and "organizations" stay as they are. Raises Rejected for a stranger's."""
    name = authority.lower()
    if name in ("common", "organizations"):
        return name
    if name in ("consumers", CONSUMERS):
        return CONSUMERS
    domains = {each.login.partition("@")[2] for each in world.mailboxes.values() if not each.personal}
    if name == world.tenant or name in domains:
        return world.tenant
    raise problem(world, "invalid_tenant", 90002, f"Tenant '{authority}' not found. Check to make sure you have the correct tenant ID.")


def configuration(world: MicrosoftWorld, authority: str, base: str) -> Reply:
    """What msal asks first: /{authority}/v2.0/.well-known/openid-configuration."""
    tenant = tenant_of(world, authority)
    place = f"{base}/{authority}"
    issuer = "{tenantid}" if tenant in ("common", "organizations") else tenant
    return Reply.of(
        {
            "issuer": f"{base}/{issuer}/v2.0",
            "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
            "token_endpoint": f"{place}/oauth2/v2.0/token",
            "jwks_uri": f"{place}/discovery/v2.0/keys",
            "userinfo_endpoint": f"{base}/oidc/userinfo",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": list(RESERVED),
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "tenant_region_scope": None,
        }
    )


def discovery(request: Request) -> Reply:
    """/common/discovery/instance: the authority is genuine, and has no other names."""
    place = request.base.partition("://")[2]
    aliases = {"preferred_network": place, "preferred_cache": place, "aliases": [place]}
    return Reply.of(
        {
            "tenant_discovery_endpoint": f"{request.base}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [aliases],
        }
    )


def short(scope: str) -> str:
    return scope.removeprefix(GRAPH)


def authorize(world: MicrosoftWorld, authority: str, request: Request) -> Reply:
    """The consent page; with the knob `auto_consent`, or `approve=auto` in the query, what a person who says yes causes."""
    asked = dict(request.query)
    _check(world, authority, asked)
    chosen = asked.get("login_hint") or world.knobs.account or next(iter(world.mailboxes), "")
    if not (world.knobs.auto_consent or asked.get("approve") == "auto"):
        people = [(login, login == chosen) for login in world.mailboxes]
        action = f"/{authority}/oauth2/v2.0/decision"
        return consent.page(
            "Sign in to your account", "Microsoft", action, request.target.partition("?")[2], people, asked["scope"].split()
        )
    return _granted(world, authority, asked, chosen)


def decision(world: MicrosoftWorld, authority: str, request: Request) -> Reply:
    form = request.form()
    asked = dict(parse_qsl(form.get("asked", ""), keep_blank_values=True))
    _check(world, authority, asked)
    if form.get("decision") != "allow":
        return _refused(asked, "AADSTS65004: User declined to consent to access the app.")
    return _granted(world, authority, asked, form.get("account", ""))


def _refused(asked: dict[str, str], sentence: str) -> Reply:
    return _back(asked, error="access_denied", error_description=sentence)


def _back(asked: dict[str, str], **answers: str) -> Reply:
    way = consent.posted if asked.get("response_mode") == "form_post" else consent.back
    return way(asked["redirect_uri"], **answers, state=asked.get("state", ""))


def _check(world: MicrosoftWorld, authority: str, asked: dict[str, str]) -> None:
    """Raises Rejected with the error page that a client never hears of."""

    def stop(sentence: str) -> Rejected:
        return Rejected(consent.failure("Sign in: we couldn't sign you in", sentence))

    tenant_of(world, authority)
    if asked.get("client_id") != world.client_id:
        raise stop("AADSTS700016: Application with that identifier was not found in the directory.")
    if not consent.welcome(asked.get("redirect_uri", "")):
        raise stop("AADSTS50011: The redirect URI specified in the request does not match the redirect URIs of the application.")
    if asked.get("response_type") != "code" or asked.get("response_mode", "query") not in ("query", "form_post"):
        raise stop("AADSTS70002: Only the code flow with response mode query or form_post is understood.")
    if not asked.get("scope") or not all(short(scope) in KNOWN for scope in asked["scope"].split()):
        raise stop("AADSTS70011: The provided value for the input parameter 'scope' is not valid.")


def _granted(world: MicrosoftWorld, authority: str, asked: dict[str, str], login: str) -> Reply:
    person, tenant = world.mailboxes.get(login), tenant_of(world, authority)
    if person is None:
        raise Rejected(consent.failure("Sign in", "AADSTS50034: The user account does not exist in the directory."))
    if not _welcome(person, tenant):
        sentence = (
            f"AADSTS50020: User account '{login}' from identity provider 'live.com' does not exist in tenant."
            if person.personal
            else "AADSTS500200: You can't sign in here with a work or school account. Use your personal account instead."
        )
        raise Rejected(consent.failure("Sign in", sentence))
    if world.knobs.admin_required and not person.personal:
        return _refused(asked, "AADSTS90094: The grant requires admin permission.")
    code = f"0.A{world.chance.text(60)}"
    world.codes[code] = {
        "login": login,
        "scopes": [short(scope) for scope in asked["scope"].split()],
        "redirect_uri": asked["redirect_uri"],
        "challenge": asked.get("code_challenge", ""),
        "method": asked.get("code_challenge_method", "plain"),
        "nonce": asked.get("nonce", ""),
        "until": world.now + CODE_LIFE,
    }
    return _back(asked, code=code, session_state=world.chance.guid())


def _welcome(person: Mailbox, tenant: str) -> bool:
    match tenant:
        case "common":
            return True
        case "organizations":
            return not person.personal
        case _:
            return person.tenant == tenant


def admin_consent(world: MicrosoftWorld, authority: str, request: Request) -> Reply:
    """/{tenant}/adminconsent: the administrator agrees for everybody, and for the application itself."""
    address = request.first("redirect_uri")
    if request.first("client_id") != world.client_id or not consent.welcome(address):
        raise Rejected(consent.failure("Sign in", "AADSTS700016: Application with that identifier was not found in the directory."))
    tenant_of(world, authority)
    world.knobs.admin_required, world.knobs.app_only = False, True
    return consent.back(address, admin_consent="True", tenant=world.tenant, state=request.first("state"))


def token(world: MicrosoftWorld, authority: str, request: Request) -> Reply:
    """The token endpoint. Raises Rejected."""
    form, tenant = request.form(), tenant_of(world, authority)
    named = consent.basic(request.headers.get("authorization", ""))
    if (form.get("client_id") or named[0]) != world.client_id:
        raise problem(world, "unauthorized_client", 700016, "Application with that identifier was not found in the directory.")
    if (form.get("client_secret") or named[1]) != world.client_secret:
        raise problem(world, "invalid_client", 7000215, "Invalid client secret provided.", 401)
    match form.get("grant_type"):
        case "authorization_code":
            return _redeemed(world, tenant, form, request.base)
        case "refresh_token":
            return _refreshed(world, tenant, form, request.base)
        case "client_credentials":
            return _own(world, tenant, form)
        case other:
            raise problem(world, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{other}'.")


def _redeemed(world: MicrosoftWorld, tenant: str, form: dict[str, str], base: str) -> Reply:
    code = world.codes.get(form.get("code", ""))
    if code is None:
        raise problem(world, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
    if code.get("used"):
        raise problem(world, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.")
    if code["until"] <= world.now:
        raise problem(world, "invalid_grant", 70008, "The provided authorization code or refresh token has expired.")
    if code["redirect_uri"] != form.get("redirect_uri"):
        raise problem(world, "invalid_grant", 50011, "The redirect URI does not match the one of the request.")
    if not consent.proven(code["challenge"], code["method"], form.get("code_verifier", "")):
        raise problem(world, "invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the request.")
    code["used"] = True
    if not _welcome(world.mailboxes[code["login"]], tenant):
        raise problem(world, "invalid_grant", 50020, "The user account does not exist in the tenant.")
    grant = issue(world, code["login"], code["scopes"])
    return _answer(world, grant, grant.scopes, base, form, nonce=code["nonce"])


def issue(world: MicrosoftWorld, login: str, scopes: list[str]) -> Grant:
    """A consent as if the person had given it."""
    refresh = refresh_token(world) if "offline_access" in scopes else ""
    grant = Grant(login=login, client=world.client_id, scopes=tuple(short(scope) for scope in scopes), refresh=refresh, used=world.now)
    world.grants.append(grant)
    return grant


def refresh_token(world: MicrosoftWorld) -> str:
    return f"1.A{world.chance.text(120)}"


def _refreshed(world: MicrosoftWorld, tenant: str, form: dict[str, str], base: str) -> Reply:
    """A new refresh token for an old one, which dies; with the knob `refresh_grace` it is taken once more."""
    given = form.get("refresh_token", "")
    grant = next((each for each in world.grants if given and given in (each.refresh, each.previous)), None)
    if given in world.dead:
        raise problem(
            world, "invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed."
        )
    if grant is None:
        raise problem(world, "invalid_grant", 70000, "The provided value for the 'refresh_token' parameter is not valid.")
    if world.now - grant.used > REFRESH_IDLE:
        grant.ended = True
        world.grants.remove(grant)
        raise problem(world, "invalid_grant", 700082, "The refresh token has expired due to inactivity.")
    if not _welcome(world.mailboxes[grant.login], tenant):
        raise problem(world, "invalid_grant", 50020, "The user account does not exist in the tenant.")
    wanted = tuple(short(scope) for scope in form.get("scope", "").split()) or grant.scopes
    if not set(wanted) <= {*grant.scopes, *RESERVED}:
        sentence = "The user or administrator has not consented to use the application."
        raise problem(world, "invalid_grant", 65001, sentence, suberror="consent_required")
    if given == grant.previous:
        grant.previous = ""
    else:
        grant.previous = grant.refresh if world.knobs.refresh_grace else ""
        grant.refresh = refresh_token(world)
    return _answer(world, grant, wanted, base, form)


def _own(world: MicrosoftWorld, tenant: str, form: dict[str, str]) -> Reply:
    """client_credentials: the application itself, in one tenant, with what an administrator granted it."""
    if tenant in ("common", "organizations", CONSUMERS):
        raise problem(world, "invalid_request", 50059, "No tenant-identifying information found in the request.")
    if not form.get("scope", "").endswith("/.default"):
        raise problem(world, "invalid_scope", 1002012, "The provided value for scope is not valid. It must end with /.default.")
    scopes = ("Calendars.ReadWrite",) if world.knobs.app_only else ()
    made = _kept(world, Access(grant=None, client=world.client_id, tenant=tenant, scopes=scopes, until=world.now))
    return Reply.of({"token_type": "Bearer", "expires_in": ACCESS_SECONDS, "ext_expires_in": ACCESS_SECONDS, "access_token": made})


def _kept(world: MicrosoftWorld, access: Access) -> str:
    for old in [each for each, found in world.access.items() if found.until <= world.now]:
        del world.access[old]
    access.until = world.now + timedelta(seconds=ACCESS_SECONDS)
    made = f"EwB{world.chance.text(200)}"
    world.access[made] = access
    return made


def _answer(world: MicrosoftWorld, grant: Grant, scopes: tuple[str, ...], base: str, form: dict[str, str], nonce: str = "") -> Reply:
    person = world.mailboxes[grant.login]
    grant.used = world.now
    held = tuple(scope for scope in grant.scopes if scope in scopes and scope not in RESERVED)
    access = Access(grant=grant, client=grant.client, tenant=person.tenant, scopes=held, until=world.now)
    told: Json = {
        "token_type": "Bearer",
        "scope": " ".join((*(GRAPH + scope for scope in held), *(each for each in ("openid", "profile") if each in grant.scopes))),
        "expires_in": ACCESS_SECONDS,
        "ext_expires_in": ACCESS_SECONDS,
        "access_token": _kept(world, access),
    }
    if grant.refresh:
        told["refresh_token"] = grant.refresh
    if "openid" in grant.scopes:
        told["id_token"] = keys.signed(_identity(world, grant, person, base) | ({"nonce": nonce} if nonce else {}))
    if form.get("client_info"):
        told["client_info"] = base64.urlsafe_b64encode(json.dumps({"uid": person.oid, "utid": person.tenant}).encode()).decode().rstrip("=")
    return Reply.of(told, Cache_Control="no-store")


def _identity(world: MicrosoftWorld, grant: Grant, person: Mailbox, base: str) -> Json:
    now = int(world.now.timestamp())
    return {
        "ver": "2.0",
        "iss": f"{base}/{person.tenant}/v2.0",
        "aud": grant.client,
        "sub": person.oid[::-1],
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "name": person.name,
        "preferred_username": person.login,
        "oid": person.oid,
        "tid": person.tenant,
    }


def end(world: MicrosoftWorld, grant: Grant) -> None:
    """Revoked: neither token lives on."""
    grant.ended = True
    world.grants.remove(grant)
    world.dead.add(grant.refresh)
