"""Whether a step waits for its samples: the share of the time of its steps in which the training thread waits for them.

waiting_share: seconds in which a rank waits for samples / seconds of its steps, of a rank with one thread that trains a
small preset as it is shipped, with its own `train.workers` and `train.prefetch`. ours and rival are the seconds of
both for a step. The first steps do not count. The pictures of VAANet and CTEN have 240 lines, as those of the published
data. There is no rival: the aim is 0.
"""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import gangs
from benchmarks.figures import Figure
from benchmarks.options import Options
from jack_ray.data.__main__ import main as data_command

SMALL = {"vaanet": "vaanet_small", "cten": "cten_small", "tsl": "tsl_small", "gait": "gait_smoke"}
CLASS_TREES = ("vaanet", "cten")
GENERATED = ("--classes", "2", "--train", "8", "--test", "2", "--height", "240")
STEPS = 20


def measure(options: Options) -> Iterator[Figure]:
    """Class trees from pictures; the others from their features and skeletons."""
    for method in options.choose(SMALL):
        found = share_of(method)
        share = found["waiting_s"] / found["step_s"]
        yield Figure(f"waiting.{method}", "waiting_share", share, found["waiting_s"], found["step_s"], "s")


def share_of(method: str) -> dict[str, float]:
    """Seconds of waiting and of everything in a step."""
    with tempfile.TemporaryDirectory() as folder:
        data = _data(method, Path(folder))
        words = [f"model={SMALL[method]}", f"data.root={data}", f"train.steps={STEPS}", "train.log_every=1"]
        words += [f"train.{name}={STEPS}" for name in ("evaluate_every", "checkpoint_every")]
        words += ["model.num_classes=2"] if method in CLASS_TREES else []
        path = gangs.new_trial(Path(folder) / "runs", words, ranks=1).trial
        found: dict[str, float] = gangs.run(1, "benchmarks.waiting.rank", [str(path)])[0]
        return found


def _data(method: str, folder: Path) -> Path:
    if method not in CLASS_TREES:
        return gangs.demo_data(method, folder)
    data = folder / "data"
    with contextlib.redirect_stdout(io.StringIO()):
        code = data_command(["demo", method, str(data), *GENERATED])
    if code != 0:
        raise SystemExit(f"error: no demo data for {method}")
    return data
