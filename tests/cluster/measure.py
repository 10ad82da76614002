"""python -m tests.cluster.measure --times 3: every fault so many times, as a table for docs/reliability.md.

Needs what the tests of this folder need, and a compiled Jittor (`make prepare`).
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jack_ray.contract.environment import default_jittor_home
from jack_ray.methods.tsl.demo import generate
from jack_ray.spawn.preflight import prepare
from tests.cluster.faults import FAULTS, Outcome, fill_the_disk, lose_mlflow, suffer
from tests.cluster.hosts import Hosts, why_not
from tests.cluster.stage import Play, Stage

ROOT = Path(__file__).parents[2]
HEAD = "| fault | times | survived | seconds to recovery | orphans | same bits |\n|---|---|---|---|---|---|"

Inject = Callable[[str], Outcome]


def row(what: str, outcomes: Sequence[Outcome]) -> str:
    """A line of the table."""
    times = [outcome.recovery_s for outcome in outcomes if outcome.recovery_s is not None]
    spread = f"{min(times):.0f} - {max(times):.0f}, median {statistics.median(times):.0f}" if times else "none needed"
    survived = sum(outcome.survived for outcome in outcomes)
    orphans = sum(len(outcome.orphans) for outcome in outcomes)
    equal = sum(outcome.equal for outcome in outcomes)
    return f"| {what} | {len(outcomes)} | {survived} | {spread} | {orphans} | {equal} |"


def injections(stage: Stage, undisturbed: Play) -> dict[str, Inject]:
    """What happens -> a function that lets it happen, in a folder of that name."""
    found: dict[str, Inject] = {
        what: lambda name, what=what: suffer(stage, undisturbed, what, name)  # type: ignore[misc]
        for what in FAULTS
    }
    found["the disk is full"] = lambda name: fill_the_disk(stage, undisturbed, name)
    found["MLflow goes away and comes back"] = lambda name: lose_mlflow(stage, undisturbed, name)[0]
    return found


def measure(stage: Stage, times: int, only: Sequence[str]) -> None:
    """Inject and print."""
    undisturbed = stage.bench("undisturbed")
    began = time.monotonic()
    if undisturbed.run() != 0:
        raise SystemExit(undisturbed.output())
    print(f"The undisturbed trial took {time.monotonic() - began:.0f} s.\n\n{HEAD}", flush=True)
    for number, (what, inject) in enumerate(injections(stage, undisturbed).items()):
        if only and what not in only:
            continue
        outcomes = []
        for time_number in range(times):
            outcomes.append(inject(f"fault{number}_{time_number}"))
            if not outcomes[-1].survived or not outcomes[-1].equal or outcomes[-1].orphans:
                print(f"{what}:\n{outcomes[-1].output}\n{outcomes[-1].orphans}", file=sys.stderr, flush=True)
        print(row(what, outcomes), flush=True)


def main() -> None:
    """Make the hosts and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="this fault alone; may be repeated"
    )
    options = parser.parse_args()
    reason = why_not()
    if reason:
        raise SystemExit(f"error: {reason}")
    home = default_jittor_home().absolute()
    prepare(home, lambda words, share: None)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        data = Path(folder) / "VideoSenti"
        generate(data, train=12, test=3, seed=1, snippets=(8, 12))
        shared = [ROOT, Path(sys.prefix), Path(sys.base_prefix), home, Path(folder)]
        with Hosts(3, shared, small_mb=120) as hosts:
            stage = Stage(hosts, Path(folder), data, home)
            stage.start()
            measure(stage, options.times, options.only)


if __name__ == "__main__":
    main()
