"""Turns carried by a queue on PostgreSQL, for any number of worker processes: the only room that uses procrastinate.

queue.migrate(url)                      its tables, in a schema of their own
carrier = Queue(url, rounds, count=8)   fetches and does turns, decides who is due, takes over from processes that have died
"""

from gateway.queue.carrier import Pace, Queue, Rounds
from gateway.queue.schema import migrate, must_be_ready

__all__ = ["Pace", "Queue", "Rounds", "migrate", "must_be_ready"]
