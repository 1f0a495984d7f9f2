"""A hook of Radicale's that hears what was stored, and fails when it is told to: what follows a write fails like that."""

from __future__ import annotations

from typing import Any, ClassVar

from radicale.hook import BaseHook


class Hook(BaseHook):
    """Radicale makes one for each application, by the name of this module; what it has heard is kept for all."""

    heard: ClassVar[list[Any]] = []
    trips: ClassVar[bool] = False

    @property
    def enabled(self) -> bool:
        return True

    def notify(self, notification_item: Any) -> None:
        self.heard.append(notification_item)
        if self.trips:
            raise LookupError("the hook trips")
