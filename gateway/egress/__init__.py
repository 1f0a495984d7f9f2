"""The one way out to addresses that people gave us: checked, connected to as checked, bounded in time and size (trust.md §5.9).

Whoever may name an address for us to call could have us call our own network. So an address is read more strictly than browsers
read it, the name in it is looked up once, every address found has to be one of the public internet, and the connection goes to one
of those and to nothing else: a name that means something different a moment later gains nothing. No redirect is followed; whoever
wants to go on comes back with the new address, which is checked like the first. Proxies named in the environment are passed over.

address   reading an address, and which machines may be called
wire      one request and its answer on a connection, until the deadline
out       looking up, checking, connecting: Egress
"""

from gateway.egress.address import Target, own, public, target_of
from gateway.egress.out import Egress
from gateway.egress.wire import Limits, Response

__all__ = ["Egress", "Limits", "Response", "Target", "own", "public", "target_of"]
