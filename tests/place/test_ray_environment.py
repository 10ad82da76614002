from pathlib import Path

import pytest

from jack_ray.place import ray_environment
from jack_ray.place.ray_environment import ray_variables

LOCAL = None


def test_a_ray_of_this_machine_alone_has_a_token_that_nobody_else_has() -> None:
    tokens = {ray_variables(LOCAL)["RAY_AUTH_TOKEN"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 32 for token in tokens)
    assert ray_variables(LOCAL)["RAY_AUTH_MODE"] == "token"


def test_a_running_ray_keeps_its_own_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ray_environment, "TOKEN_FILE", tmp_path / "auth_token")
    variables = ray_variables("auto", {})
    assert not any("TOKEN" in name or "AUTH" in name for name in variables)


def test_a_token_of_the_user_is_shown_to_a_running_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    running = "auto"
    monkeypatch.setattr(ray_environment, "TOKEN_FILE", tmp_path / "auth_token")
    assert ray_variables(running, {"RAY_AUTH_TOKEN": "x"})["RAY_AUTH_MODE"] == "token"
    (tmp_path / "auth_token").write_text("x")
    assert ray_variables(running, {})["RAY_AUTH_MODE"] == "token"
    assert "RAY_AUTH_MODE" not in ray_variables(running, {"RAY_AUTH_MODE": "disabled"})


def test_no_usage_is_reported_from_anywhere() -> None:
    for address in (None, "auto"):
        assert ray_variables(address)["RAY_USAGE_STATS_ENABLED"] == "0"
