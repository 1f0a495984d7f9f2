"""A fake Google Calendar and a fake Microsoft (Entra and Graph) on loopback, for tests and for `gateway demo --providers`.

    with running(google=["john.smith@example.com"], work=["emma.morris@example.com"]) as fakes:
        fakes.google.api_endpoint, fakes.google.auth_uri, fakes.google.token_uri, fakes.google.control
        fakes.microsoft.authority, fakes.microsoft.graph_url, fakes.microsoft.control, fakes.ca_file

They are right rather than convenient: where the real ones have a trap, so have they. `provider.answer(request)` is the whole
provider without a server; the server only carries values to and fro. Nothing of this is used in production.
"""

from gateway.fakes.running import Fakes, GoogleSite, MicrosoftSite, running

__all__ = ["Fakes", "GoogleSite", "MicrosoftSite", "running"]
