"""Hands without Ray: one trial at a time, its ranks children of this process. For laptops, debuggers and tests."""

import time

from jack_ray.place.lead import Lead
from jack_ray.place.news import Handle, News, Order


class InlineHands:
    """Runs attempts one after the other."""

    def __init__(self) -> None:
        self._leads: dict[str, Lead] = {}
        self._last: Lead | None = None
        """Whose ranks may have stayed."""

    def room(self) -> bool:
        """Whether nothing runs."""
        return not self._leads

    def start(self, order: Order) -> Handle:
        """Begin an attempt in this process."""
        standing, last = None, self._last
        if last is not None:
            standing, last.standing = last.standing, None
        self._leads[order.trial_id] = Lead(order, standing=standing)
        return Handle(order)

    def poll(self, handle: Handle) -> News:
        """What happened since the last call."""
        news, handle.offset = self._leads[handle.order.trial_id].poll(handle.offset)
        if news.ended is not None:
            self._last = self._leads.pop(handle.order.trial_id)
        return news

    def wait(self, seconds: float) -> None:
        """Until the attempt has ended, or the time is over."""
        running = next(iter(self._leads.values()), None)
        if running is None:
            time.sleep(seconds)
        else:
            running.over.wait(seconds)

    def stop(self, handle: Handle) -> None:
        """End an attempt; its ranks are gone when this returns."""
        lead = self._leads.pop(handle.order.trial_id, None)
        if lead is not None:
            lead.stop()

    def close(self) -> None:
        """End what still runs."""
        for lead in self._leads.values():
            lead.stop()
        self._leads.clear()
        if self._last is not None:
            self._last.dismiss()
