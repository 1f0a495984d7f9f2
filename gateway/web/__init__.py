"""The front door: CalDAV, feeds, REST and pages on one port. The only async room, and the only one that knows aiohttp.

What touches the store runs on a bounded pool of threads; here it is only awaited.
"""
