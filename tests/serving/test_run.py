"""The main thread of a server, without Ray."""

import io
import os
import signal

import pytest

from jack_ray.serving.run import Stop, _say


def test_sigterm_asks_to_end_although_ray_has_taken_it_for_itself() -> None:
    stop = Stop()
    with stop.caught():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.take_back()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


class Full(io.StringIO):
    """A disk."""

    def flush(self) -> None:
        raise OSError("No space left on device")


def test_a_line_that_nobody_can_read_any_more_ends_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Full()
    monkeypatch.setattr("sys.stdout", full)
    _say("ready")
    assert full.getvalue() == "ready\n"
