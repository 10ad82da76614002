"""The main thread of a server, without Ray."""

import os
import signal

import pytest

from jack_ray.serving.run import Stop


def test_sigterm_asks_to_end_although_ray_has_taken_it_for_itself() -> None:
    stop = Stop()
    with stop.caught():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.take_back()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
