"""What Ray must find in the environment before it is imported."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from jack_ray.contract.environment import python_path

TOKEN_FILE = Path("~/.ray/auth_token")

_ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # paragraphs about dead workers; a trial's end is told in one line of ours
}


def client_variables(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For who talks to a running cluster: token authentication where this user has a token."""
    has_token = any(name in environment for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    if "RAY_AUTH_MODE" not in environment and (has_token or TOKEN_FILE.expanduser().exists()):
        return _ALWAYS | {"RAY_AUTH_MODE": "token"}  # a cluster's, which Ray's own tools then use, too
    return dict(_ALWAYS)


def ray_variables(address: str | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """No usage statistics; for a Ray of this machine alone, a token that nobody else has, and no lower priority.

    Ray would otherwise write a token file into the home directory, which switches token authentication on for
    clusters that are started later. A running cluster's token is the user's: RAY_AUTH_TOKEN or ~/.ray/auth_token.
    """
    if address is not None:
        return client_variables(environment)
    return _ALWAYS | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_worker_niceness": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # elsewhere it means: one machine, servers on loopback alone
        "PYTHONPATH": python_path(),
    }
