"""What all sweeps of this benchmark do: the narrow TSL-Net on generated data at several learning rates."""

from pathlib import Path

from jack_ray import compose
from jack_ray.methods.tsl.demo import generate

STEPS = 100
"""As the preset has it."""


def prepare(root: Path) -> Path:
    """Generate the data; its folder."""
    generate(root / "data", train=24, test=8, seed=1, snippets=(24, 48))
    return root / "data"


def words(data: Path, ranks: int, trials: int) -> list[str]:
    """The command line, of which the learning rates make the sweep."""
    return [
        "model=tsl_small", f"data.root={data}", f"cluster.ranks={ranks}", f"train.steps={STEPS}", "train.batch=8",
        f"train.evaluate_every={STEPS}", f"train.checkpoint_every={STEPS}", "train.log_every=1",
        f"train.lr={','.join(map(str, rates(trials)))}",
    ]  # fmt: skip


def rates(trials: int) -> list[float]:
    """So many learning rates."""
    return [round(1e-4 * 1.25**number, 8) for number in range(trials)]


def save_trial(data: Path, ranks: int, path: Path) -> None:
    """Write the trial file that rivals start from; each replaces the learning rate."""
    lines = [word for word in words(data, ranks, 1) if not word.startswith("train.lr=")]
    trial, _ = compose.make_plan(compose.read_command(lines)).trial(())
    trial.save(path)
