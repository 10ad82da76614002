"""The facts of a model -> its card: titled sections of text, lists and tables. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jack_ray.contract.trial import Trial
from jack_ray.registry.bootstrap import REPEATS, SEED, SHARE, Interval
from jack_ray.registry.notes import Notes
from jack_ray.registry.statistics import Calibration, Measured

FEW = 100
"""Fewer samples than these make intervals and calibration uncertain."""
_SHOWN_AS_THEY_ARE = "test/", "val/", "best/"

_OF_THRESHOLD = re.compile(r"_\d\.\d+$")
"""A number of one overlap; there are dozens."""


@dataclass(frozen=True)
class Facts:
    """Everything that a card says."""

    name: str
    trial: Trial
    labels: tuple[str, ...]
    run_id: str
    tags: Mapping[str, str]
    numbers: Mapping[str, float]
    """As MLflow has them."""
    split: str
    """The split that was scored at the end."""
    measured: Measured | None
    samples: Mapping[str, Any]
    """Counts of the data set; empty where it does not lie on this machine."""
    sha256: str
    notes: Notes
    data_note: str
    code: str
    """The commit of the copy that lies in the model, or the version."""
    made: str
    """The day, 2026-11-26."""


@dataclass(frozen=True)
class Table:
    """Columns and rows of text; the first column is words, the others are numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


Block = str | Table | Calibration | Sequence[str]
"""A paragraph, a table, a diagram, or a list."""


@dataclass(frozen=True)
class Section:
    """A titled part of the card."""

    title: str
    blocks: Sequence[Block]


def sections(facts: Facts) -> list[Section]:
    """The card."""
    notes = facts.notes
    what: list[Block] = [
        notes.task,
        Table(
            ("", ""),
            [
                ("Method", notes.title),
                ("Paper", notes.paper),
                ("Authors' code", f"{notes.source}, licence: {notes.licence_of_source}"),
                ("This implementation", "jack_ray, Apache-2.0"),
                ("Takes", notes.takes),
                ("Classes", ", ".join(facts.labels)),
            ],
        ),
    ]
    found = [Section("What it is", what), Section("Data", _data(facts)), Section("Numbers", _numbers(facts))]
    measured = facts.measured
    if measured is not None and measured.classes:
        found.append(Section("By class", _by_class(facts, measured)))
    if measured is not None and measured.calibration is not None:
        found.append(Section("Calibration", _calibration(measured.calibration)))
    found.append(Section("Known limits", [limits(facts)]))
    return [*found, Section("Where it comes from", _origin(facts))]


def _data(facts: Facts) -> list[Block]:
    name = str(facts.trial.data.get("name", ""))
    note = facts.notes.data.get(name, "Nothing is known here of the licence of data in this layout.")
    said = facts.data_note or "Not said. Whoever promotes a model can say it with data_note=TEXT."
    rows = [
        ("Layout", name),
        ("Identity of the content", facts.trial.data_identity or "unknown"),
        ("What it is, as said when it was promoted", said),
        ("If it is the published data of that layout", note),
    ]
    rows += [(str(key).capitalize(), str(value)) for key, value in facts.samples.items()]
    if not facts.samples:
        rows.append(("Samples it was trained on", "not counted: the data is not on the machine of the promotion"))
    if facts.measured is not None:
        rows.append((f"Samples of the {facts.split} split", str(facts.measured.num_samples)))
    return [Table(("", ""), rows)]


def _numbers(facts: Facts) -> list[Block]:
    blocks: list[Block] = []
    measured = facts.measured
    if measured is not None:
        rows = [(name, number(one.value), span(one)) for name, one in measured.numbers.items()]
        drawn = f"percentile bootstrap over samples, {REPEATS} drawings, seed {SEED}"
        note = f"n = {measured.num_samples} samples of the {facts.split} split. {SHARE:.0%} interval: {drawn}."
        blocks.append(Table((facts.split, "value", f"{SHARE:.0%} interval"), rows, note))
    known = set(measured.numbers) if measured is not None else set()
    others = [
        (name, number(value))
        for name, value in sorted(facts.numbers.items())
        if name.startswith(_SHOWN_AS_THEY_ARE)
        and _plain(name, facts.split) not in known
        and not _OF_THRESHOLD.search(name)
    ]
    if others:
        blocks.append(
            Table(("as training reported it", "value"), others, "These have no interval. More is in the run.")
        )
    return blocks or ["The run has no number of a whole split."]


def _plain(name: str, split: str) -> str:
    """`test/mAP_0.10` -> `mAP@0.10`, as it is called before MLflow takes it."""
    return name.removeprefix(f"{split}/").replace("mAP_", "mAP@")


def _by_class(facts: Facts, measured: Measured) -> list[Block]:
    head = list(measured.classes[0])
    rows = [[cell(row[column]) for column in head] for row in measured.classes]
    blocks: list[Block] = [Table(head, rows, f"Of the {facts.split} split. A dash: not defined.")]
    if measured.confusion:
        counts = [(label, *map(str, row)) for label, row in zip(facts.labels, measured.confusion, strict=True)]
        blocks.append(Table(("true / taken for", *facts.labels), counts, "How often each class was taken for each."))
    return blocks


def _calibration(found: Calibration) -> list[Block]:
    rows = [
        (f"{one.low:.1f} to {one.high:.1f}", str(one.num), number(one.mean_probability), number(one.share_right))
        for one in found.bins
    ]
    note = f"Expected calibration error {number(found.error)} over {found.num} answers, bins of equal width."
    return [found, Table(("probability", "answers", "mean probability", "share right"), rows, note)]


def limits(facts: Facts) -> list[str]:
    """What a reader must know before she relies on the model."""
    found = [*facts.notes.limits]
    measured, train = facts.measured, facts.trial.train
    if measured is None:
        found.append(
            "No intervals, table by class or calibration: the run left no scored.json of the split. "
            f"Train it again: python -m jack_ray.launch from_run={facts.run_id}."
        )
    elif measured.num_samples < FEW:
        found.append(f"Measured on {measured.num_samples} samples only; the intervals of so few are rough themselves.")
    if measured is not None and measured.calibration is None:
        found.append("Calibration does not apply to found segments, and was not measured.")
    if train.get("select_on") == "test":
        found.append("The checkpoint was chosen on the test split, so its test numbers are too good.")
    if facts.split != "test":
        found.append("No test split was scored: the numbers are of the split that chose the checkpoint.")
    if facts.trial.model.get("swap_class_report"):
        found.append(
            "model.swap_class_report: the run's AP_n and AP_p have changed places; the table by class has not."
        )
    status = facts.tags.get("jack_ray.status", "")
    if status != "finished":
        found.append(f"Training has not finished: the run is {status or 'running'}.")
    if facts.tags.get("jack_ray.git.dirty") == "true":
        found.append("It was trained with changes to the code that no commit has.")
    found.append("Intervals are about the choice of samples alone, not about seeds, annotators or other data.")
    return found


def _origin(facts: Facts) -> list[Block]:
    versions = {
        name.removeprefix("jack_ray.version."): value
        for name, value in sorted(facts.tags.items())
        if name.startswith("jack_ray.version.")
    }
    rows = [
        ("Trial", facts.trial.id),
        ("Sweep", facts.tags.get("jack_ray.sweep", "none")),
        ("MLflow run", facts.run_id),
        ("Train it again", f"python -m jack_ray.launch from_run={facts.run_id}"),
        ("Code it was trained with", facts.tags.get("mlflow.source.git.commit", "not from a git checkout")),
        ("Code that answers", facts.code),
        ("Versions", ", ".join(f"{name} {value}" for name, value in versions.items()) or "unknown"),
        ("Seed", str(facts.trial.train.get("seed", ""))),
        ("sha256 of the weights", facts.sha256),
        ("Card made", facts.made),
    ]
    return [Table(("", ""), rows)]


def cell(value: str | int | float | Interval | None) -> str:
    """A value in a table."""
    if isinstance(value, Interval):
        return f"{number(value.value)} ({span(value)})"
    if value is None:
        return "-"
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else number(value)


def number(value: float) -> str:
    """Three places: the fourth is below what any of these samples can tell."""
    return f"{value:.3f}" if abs(value) < FEW else f"{value:g}"


def span(one: Interval) -> str:
    """`0.412 to 0.538`."""
    return f"{number(one.low)} to {number(one.high)}"


def description(facts: Facts) -> str:
    """The card in short, as Markdown: what the registry shows of a version."""
    lines = [f"**{facts.notes.title}**: {facts.notes.task}", ""]
    measured = facts.measured
    if measured is not None:
        lines += [f"| {facts.split}, n = {measured.num_samples} | value | {SHARE:.0%} interval |", "|---|---|---|"]
        lines += [f"| {name} | {number(one.value)} | {span(one)} |" for name, one in measured.numbers.items()]
        if measured.calibration is not None:
            lines.append(f"| calibration error | {number(measured.calibration.error)} | |")
        lines.append("")
    name = str(facts.trial.data.get("name", ""))
    lines.append(f"Data: {facts.data_note or f'in the layout of {name}'}, identity {facts.trial.data_identity}.")
    lines.append(f"Trial {facts.trial.id}. The whole card is the model's artifact `model_card.html`.")
    lines += ["", "Known limits:", "", *(f"- {limit}" for limit in limits(facts))]
    return "\n".join(lines)
