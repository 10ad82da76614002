"""python -m jack_ray.warm model=MODEL: compile all that training a model needs, before it is needed."""

import argparse
import importlib
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from jack_ray import compose
from jack_ray.compose import Plan
from jack_ray.compose.schema import operators
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.contract.paths import trial_folder
from jack_ray.data import demo
from jack_ray.place.lead import Lead
from jack_ray.place.news import Order
from jack_ray.spawn.compiled import Sharing
from jack_ray.spawn.folder_shelf import FolderShelf
from jack_ray.spawn.preflight import compiler, count_compiled

HELP = """\
python -m jack_ray.warm model=MODEL [SETTING ...]

Compile what training this model needs, so that its first step takes seconds: one step is taken, and everything is
evaluated, on a few generated samples. What is compiled already is not compiled again.

  model=tsl              any option of `python -m jack_ray.launch --help`; several: model=tsl,vaanet
  cluster.ranks=2        as in the launches to come, like every other setting: one rank needs other operators than two
  data.root=FOLDER       this data set instead of generated samples
  site.storage=PLACE     leave what was compiled there, where machines of a cluster find it (docs/cluster.md)

Exit code 0: all of it is there. 2: it cannot be compiled; the message says why.
"""

LEAST = {"train.steps": "1", "tracking": "none", "sweep": "none", "retry": "none"}
"""What is set unless it was typed."""
SAMPLES_OF_RANK = 2
"""A sample alone in its batch can need other operators than several."""


def main(words: Sequence[str]) -> int:
    """Compile for every model that was typed. Raises JackRayError."""
    if not words or set(words) & {"-h", "--help"}:
        print(HELP, end="")
        return 0 if words else 2
    models = [word.partition("=")[2].split(",") for word in words if word.startswith("model=")]
    if not models:
        raise ConfigError([Fault("model", "not typed", "the model to compile for", "Type model=tsl, or another.")])
    others = [word for word in words if not word.startswith("model=")]
    for model in models[-1]:
        _warm(model, others)
    return 0


def _warm(model: str, words: Sequence[str]) -> None:
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="jack_ray-warm-"))
    try:
        plan = _plan(model, words, scratch)
        home = Path(plan.base.site.jittor)
        before = count_compiled(home)[1]
        _train(plan, home)
        compiled = count_compiled(home)[1] - before
        if plan.base.site.storage is not None:
            _leave(plan.base.site.storage, home)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{model}: {compiled} operators compiled in {time.monotonic() - began:.0f} s ({home}).", flush=True)


def _plan(model: str, words: Sequence[str], scratch: Path) -> Plan:
    """The launch whose one step needs what the model needs. Raises ConfigError or DataError."""
    typed = {word.partition("=")[0] for word in words}
    own = [f"model={model}", f"site.runs={scratch / 'runs'}"]
    own += [f"{name}={value}" for name, value in LEAST.items() if name not in typed]
    if "data.root" not in typed:
        root = scratch / "data"
        _generate(_method(model), root)
        own.append(f"data.root={root}")
    plan = compose.make_plan(compose.read_command([*own, *words]))
    if "train.batch" in typed:
        return plan
    ranks = plan.trial(())[0].ranks
    return compose.make_plan(compose.read_command([*own, *words, f"train.batch={SAMPLES_OF_RANK * ranks}"]))


def _method(model: str) -> str:
    """The method that an option of the group model belongs to: tsl_small -> tsl. Raises ConfigError."""
    known = demo.methods_with_demo()
    method = model.partition("_")[0]
    if method not in known:
        expected = f"an option of the group model: {', '.join(known)}, or one that begins so"
        raise ConfigError([Fault(f"model={model}", "no such model", expected, "python -m jack_ray.launch --help")])
    return method


def _generate(method: str, root: Path) -> None:
    parser = argparse.ArgumentParser()
    module = importlib.import_module(f"jack_ray.methods.{method}.demo")
    module.add_options(parser)
    module.run(parser.parse_args([*module.LEAST, str(root)]))


def _train(plan: Plan, home: Path) -> None:
    """Run the one trial. Raises JackRayError with what stopped it."""
    trial, _ = plan.trial(())
    folder = trial_folder(Path(plan.base.site.runs), trial.id)
    trial.save(folder.trial)
    gpu = plan.base.cluster.gpus_per_trial > 0
    lead = Lead(Order(trial, folder.path, 1, gpu, home, plan.base.mpi, operators(plan.base.method)))
    told, offset = "", 0
    try:
        while True:
            news, offset = lead.poll(offset)
            if news.ended is not None:
                break
            if news.phase != told:
                told = news.phase
                print(f"  {told}", flush=True)
            time.sleep(1.0)
    except KeyboardInterrupt:
        lead.stop()
        raise
    if news.ended.failure is not None:
        raise JackRayError(f"{trial.method} could not be trained for a step: {news.ended.failure}")


def _leave(storage: str, home: Path) -> None:
    program = compiler()
    try:
        if program is not None:
            Sharing(FolderShelf(storage), home, program).give()
    except OSError as error:
        raise JackRayError(f"site.storage={storage} does not take the compiled operators: {error}") from error


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print("Stopped; what is compiled stays compiled.", file=sys.stderr)
        code = 130
    sys.exit(code)
