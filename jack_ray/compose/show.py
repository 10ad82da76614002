"""`--cfg job`: the composed config, as YAML."""

from jack_ray.compose.command import Command
from jack_ray.compose.load import as_yaml
from jack_ray.compose.plan import compose_base
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.settings import nearest


def print_config(command: Command) -> None:
    """Print the whole config, or the node named by `--package`. Raises ConfigError for an unknown node."""
    nodes, _ = compose_base(command)
    if command.package is not None:
        if command.package not in nodes:
            remedy = nearest(command.package, list(nodes))
            raise ConfigError([Fault("--package", command.package, "a node of the config", remedy)])
        nodes = {command.package: nodes[command.package]}
    print(as_yaml(nodes), end="")
