"""Tokens, and names of a server."""

import stat
from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError, JackRayError
from jack_ray.serving.access import Keeper, Names, is_loopback, new_token, read_token


def test_a_new_token_is_its_owners_alone_and_another_each_time(tmp_path: Path) -> None:
    path = tmp_path / "serving" / "token"
    first = new_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_token(path) == first
    path.chmod(0o644)
    assert new_token(path) != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) > 40


def test_a_token_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JackRayError, match=r"cannot be written to .*Type token_file="):
        new_token(tmp_path / "file" / "token")


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("a" * 40, 0o644, "others may read it"),
        ("a" * 15, 0o600, "a token of 15 letters; expected at least 16"),
        ("", 0o600, "a token of 0 letters"),
        ("a" * 20 + "\nb", 0o600, "a token of 22 letters"),
        ("ä" * 20, 0o600, "a token of 20 letters"),
    ],
)
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str, mode: int, told: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        read_token(path)
    assert told in str(caught.value)


def test_a_token_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unreadable"):
        read_token(tmp_path / "none")


@pytest.mark.parametrize(
    ("header", "is_in"),
    [
        (b"Bearer the-right-token-x", True),
        (b"bearer  the-right-token-x ", True),
        (b"Bearer the-right-token-y", False),
        (b"Bearer the-right-token-x1", False),
        (b"Bearer", False),
        (b"Basic the-right-token-x", False),
        (b"the-right-token-x", False),
        (b"", False),
        (b"Bearer \xff\xfe", False),
    ],
)
def test_only_the_token_opens(header: bytes, is_in: bool) -> None:
    assert Keeper("the-right-token-x").lets_in(header) is is_in
    assert Keeper(None).lets_in(header)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        (b"127.0.0.1:8000", True),
        (b"localhost", True),
        (b"LOCALHOST:1", True),
        (b"[::1]:8000", True),
        (b"lab:8000", True),
        (b"evil.example", False),
        (b"127.0.0.1.evil.example:8000", False),
        (b"", False),
    ],
)
def test_on_loopback_only_names_of_this_server_are_answered(host: bytes, is_allowed: bool) -> None:
    assert Names("127.0.0.1", ("lab",)).allow(host) is is_allowed
    assert Names("0.0.0.0", ()).allow(host)


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        (None, True),
        (b"http://127.0.0.1:8000", True),
        (b"https://lab", True),
        (b"https://evil.example", False),
        (b"http://localhost.evil.example:8000", False),
        (b"null", False),
        (b"", False),
    ],
)
def test_on_loopback_only_pages_of_this_server_may_ask(origin: bytes | None, is_allowed: bool) -> None:
    assert Names("127.0.0.1", ("lab",)).allow_page(origin) is is_allowed
    assert Names("0.0.0.0", ()).allow_page(origin)


def test_loopback_is_what_only_this_machine_reaches() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "lab", "")] == [False] * 5
