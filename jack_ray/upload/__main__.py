"""`python -m jack_ray.upload SWEEP_FOLDER`: deliver to MLflow what was written while it was away."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.paths import SweepFolder
from jack_ray.upload.replay import replay
from jack_ray.upload.service import Inbox, Service
from jack_ray.upload.store import Store

_SETTINGS = {
    # There are retries here already, and it should be noticed soon that MLflow does not answer.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0: everything is delivered. 1: not everything. 2: a mistake on the command line."""
    parser = argparse.ArgumentParser(prog="python -m jack_ray.upload", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="SWEEP_FOLDER", help="a folder of <runs>/sweeps")
    parser.add_argument("--uri", help="another MLflow than the sweep's: http://host:port or sqlite:///file.db")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    folder = SweepFolder(options.folder.resolve())
    if options.serve:
        inbox = Inbox()
        inbox.listen(sys.stdin)
        _import_mlflow()
        return 0 if Service(folder, inbox, _open_store).run() else 1
    try:
        print(replay(folder, options.uri, _open_store))
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if folder.commands.exists() else 2
    return 0


def _open_store(uri: str, experiment: str) -> Store:
    return _import_mlflow()(uri, experiment)


def _import_mlflow() -> Callable[[str, str], Store]:
    """MLflow's store. It takes seconds to import, and commands come meanwhile."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    from jack_ray.upload.mlflow_store import MlflowStore

    return MlflowStore


if __name__ == "__main__":
    sys.exit(main())
