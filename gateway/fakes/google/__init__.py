"""The fake Google: OAuth, Calendar API v3, push channels."""

from gateway.fakes.google.provider import Google

__all__ = ["Google"]
