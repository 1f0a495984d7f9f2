"""Whom the operator trusts: who issues access tokens, who vouches for people at the pages, what configuration profiles are signed with.

What is not configured is not loaded either.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.oidc import Provider
    from gateway.signing import Signer
    from gateway.tokens import Tokens

CALLBACK = "/sign-in/oidc/callback"


def access_tokens(settings: Settings) -> Tokens | None:
    """Whose access tokens open the calendars; None: app passwords only. Raises Misconfigured."""
    kept = settings.oidc
    if not kept.audience:
        return None
    from gateway.tokens import Tokens

    return Tokens(issuer=kept.issuer, audience=kept.audience, keys=Path(kept.jwks_file), claim=kept.claim)


def identity_provider(settings: Settings, public_url: str) -> Provider | None:
    """Who vouches for people at the pages; None: passwords only."""
    kept = settings.oidc
    if not kept.client_id:
        return None
    from gateway.bridge.sending import sender
    from gateway.oidc import Provider

    return Provider(
        issuer=kept.issuer,
        client_id=kept.client_id,
        client_secret=kept.client_secret,
        redirect=f"{public_url}{CALLBACK}",
        claim=kept.claim,
        send=sender(kept.ca_bundle, seconds=10.0),
    )


def profile_signer(settings: Settings) -> Signer | None:
    """What configuration profiles are signed with; None where that is not configured. Raises Misconfigured."""
    kept = settings.secrets
    if not kept.profile_certificate:
        return None
    from gateway.signing import Signer

    return Signer(Path(kept.profile_certificate), Path(kept.profile_key))
