"""A running Ray cluster: getting in, and what is there."""

import logging

import ray
from ray.exceptions import RayError

from jack_ray.contract.environment import python_path
from jack_ray.contract.errors import PlaceError
from jack_ray.place.ray_address import refuse_silent, resolve
from jack_ray.place.room import Machine


def connect(address: str, inherits: bool = False) -> None:
    """Connect to a running Ray. Raises PlaceError when that does not work.

    inherits: whether its workers have this process's variables from it, so that those which it keeps ready will do.
    """
    resolved = resolve(address)
    refuse_silent(resolved)
    try:
        ray.init(
            address=resolved,
            logging_level=logging.ERROR,
            log_to_driver=False,
            configure_logging=False,
            runtime_env=None if inherits else {"env_vars": {"PYTHONPATH": python_path()}},
        )
    except (ConnectionError, RayError, ValueError, RuntimeError, TimeoutError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PlaceError(
            f"Ray at cluster.address={resolved} does not let us in: {reason}\n"
            "If it uses tokens, set RAY_AUTH_TOKEN, or put its token into ~/.ray/auth_token. Its version of Ray and "
            f"of Python must be this one's (Ray {ray.__version__})."
        ) from error


def machines() -> list[Machine]:
    """The living nodes and what is free on them; asked on the cluster itself when this is a client of it."""
    if ray.util.client.ray.is_connected():
        found: list[Machine] = ray.get(ray.remote(num_cpus=0)(_machines).remote())
        return found
    return _machines()


def _machines() -> list[Machine]:
    from ray._private.state import available_resources_per_node  # no public function tells it by node

    free = available_resources_per_node()
    found = []
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        have, left = node["Resources"], free.get(node["NodeID"], {})
        cpus, gpus = have.get("CPU", 0.0), have.get("GPU", 0.0)
        free_cpus, free_gpus = left.get("CPU", 0.0), left.get("GPU", 0.0)
        memory = (have.get("memory", 0.0), left.get("memory", 0.0))
        found.append(Machine(node["NodeManagerHostname"], cpus, gpus, free_cpus, free_gpus, node["NodeID"], *memory))
    return found
