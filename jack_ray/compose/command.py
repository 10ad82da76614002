"""argv -> flags, overrides and swept settings, in Hydra's grammar."""

import argparse
from dataclasses import dataclass, field

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from jack_ray.contract.errors import Fault


@dataclass(frozen=True)
class Command:
    """What was typed after `python -m jack_ray.launch`."""

    typed: tuple[str, ...]
    overrides: tuple[Override, ...] = ()
    """Single values: `model=tsl`, `train.lr=1e-4`."""
    swept: dict[str, str] = field(default_factory=dict)
    """Several values of a setting: {"train.lr": "1e-5,1e-4"}."""
    faults: tuple[Fault, ...] = ()
    help: bool = False
    version: bool = False
    show: str | None = None
    """`--cfg job`: print the composed config instead of launching."""
    package: str | None = None


def read_command(argv: list[str]) -> Command:
    """Parse the command line; a word that cannot be read becomes a fault."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-c", "--cfg", choices=("job",))
    parser.add_argument("-p", "--package")
    parser.add_argument("--resolve", action="store_true")
    try:
        flags, words = parser.parse_known_args(argv)
    except argparse.ArgumentError as error:
        fault = Fault(error.argument_name or "flag", error.message, "a flag of --help")
        overrides, swept, faults = _read_words([word for word in argv if "=" in word])
        return Command(tuple(argv), overrides, swept, (fault, *faults))
    overrides, swept, faults = _read_words(words)
    shown = (flags.cfg, flags.package)
    return Command(tuple(argv), overrides, swept, faults, flags.help, flags.version, *shown)


def _read_words(words: list[str]) -> tuple[tuple[Override, ...], dict[str, str], tuple[Fault, ...]]:
    parser = OverridesParser.create()
    overrides: list[Override] = []
    swept: dict[str, str] = {}
    faults: list[Fault] = []
    for word in words:
        if word.startswith("--") or (word.startswith("-") and "=" not in word):
            expected = "--help, --cfg job, --version, or settings such as train.lr=1e-4"
            remedy = "Type dry_run=true." if word == "--dry-run" else ""
            faults.append(Fault(word, "no such flag", expected, remedy))
            continue
        try:
            override = parser.parse_override(word)
        except HydraException as error:
            faults.append(_unreadable(word, error))
            continue
        if override.is_sweep_override() and override.value_type is not None:
            swept[override.key_or_group.removeprefix("sweep.over.")] = word.partition("=")[2]
        else:
            overrides.append(override)
    return tuple(overrides), swept, tuple(faults)


def _unreadable(word: str, error: HydraException) -> Fault:
    if "=" not in word:
        return Fault(word, "a word alone", "setting=value", "Type --help to see what can be set.")
    reason = str(error).splitlines()[0]
    key, _, value = word.partition("=")
    quoted = value.strip("\"'")
    return Fault(
        word, f"cannot be read: {reason}", "setting=value in Hydra's grammar", f"Quote it: '{key}=\"{quoted}\"'."
    )
