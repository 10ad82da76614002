from dataclasses import replace

from jack_ray.contract.schema import ClusterConfig
from jack_ray.place.ray_environment import ray_variables

LOCAL = ClusterConfig("ray", None, None, 1, 0, 30.0)


def test_a_ray_of_this_machine_alone_has_a_token_that_nobody_else_has() -> None:
    tokens = {ray_variables(LOCAL)["RAY_AUTH_TOKEN"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 32 for token in tokens)
    assert ray_variables(LOCAL)["RAY_AUTH_MODE"] == "token"


def test_a_running_ray_keeps_its_own_token() -> None:
    variables = ray_variables(replace(LOCAL, address="auto"))
    assert not any("TOKEN" in name or "AUTH" in name for name in variables)


def test_no_usage_is_reported_from_anywhere() -> None:
    for address in (None, "auto"):
        assert ray_variables(replace(LOCAL, address=address))["RAY_USAGE_STATS_ENABLED"] == "0"
