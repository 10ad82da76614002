"""What a card says, and that its page needs no network."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.scored import of_classes
from jack_ray.contract.trial import Trial
from jack_ray.registry.card import Facts, description, limits
from jack_ray.registry.facts import hold_against
from jack_ray.registry.notes import notes_of
from jack_ray.registry.page import page
from jack_ray.registry.statistics import Measured, measure

TRIAL = Trial(
    method="vaanet",
    model={"name": "vaanet"},
    data={"name": "ve8", "root": "/nowhere"},
    train={"seed": 7, "select_on": "val", "test_at_end": True},
    data_identity="0123456789",
    ranks=1,
    threads=1,
)


def measured(num: int = 40) -> Measured:
    random = np.random.default_rng(1)
    rows = {str(n): (int(random.integers(2)), random.dirichlet([1, 1]).tolist()) for n in range(num)}
    return measure(of_classes(("Joy", "<Fear>"), rows))


def facts(**changes: Any) -> Facts:
    made = Facts(
        name="ours",
        trial=TRIAL,
        labels=("Joy", "<Fear>"),
        run_id="f" * 32,
        tags={"jack_ray.status": "finished", "jack_ray.version.jittor": "1.3.11", "mlflow.source.git.commit": "abc123"},
        numbers={"test/accuracy": 0.5, "val/accuracy": 0.75, "train/total": 1.0, "test/F2_0.10": 0.1},
        split="test",
        measured=measured(),
        samples={"train videos": 731},
        sha256="0a" * 32,
        notes=notes_of("vaanet"),
        data_note="our own clips, CC BY 4.0",
        code="jack_ray 0.1.0, commit def456",
        made="2026-11-26",
    )
    return replace(made, **changes)


class Text(HTMLParser):
    """The words of a page, and what it would load."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "path", "circle"):
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe"):
            self.loaded.append(tag)
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_page_says_everything_and_loads_nothing() -> None:
    source = page(facts())
    text = Text(source)
    words = " ".join(text.words)
    assert text.loaded == []
    assert text.open == []
    assert "url(" not in source
    assert "@import" not in source
    for said in (
        "An End-to-End Visual-Audio Attention Network",
        "none stated; no line of it is in jack_ray",
        "0123456789",
        "our own clips, CC BY 4.0",
        "731",
        "n = 40 samples of the test split",
        "percentile bootstrap over samples, 2000 drawings, seed 0",
        "<Fear>",
        "Expected calibration error",
        "python -m jack_ray.launch from_run=" + "f" * 32,
        "abc123",
        "commit def456",
        "jittor 1.3.11",
        "0a" * 32,
    ):
        assert said in words, said
    assert "prefers-color-scheme: dark" in source
    assert "@media print" in source
    assert "F2_0.10" not in words


def test_a_number_with_an_interval_is_not_repeated_without() -> None:
    words = Text(page(facts())).words
    assert words.count("accuracy") == 1
    assert "test/accuracy" not in words
    assert "val/accuracy" in words


def test_without_samples_the_card_says_what_is_missing() -> None:
    words = " ".join(Text(page(facts(measured=None))).words)
    assert "the run left no scored.json of the split. Train it again: python -m jack_ray.launch from_run=fff" in words
    assert "Calibration" not in words


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Measured on 40 samples only"),
        ({"tags": {"jack_ray.status": "killed"}}, "Training has not finished: the run is killed"),
        ({"tags": {"jack_ray.git.dirty": "true"}}, "changes to the code that no commit has"),
        ({"trial": replace(TRIAL, train={"select_on": "test"})}, "chosen on the test split, so its test numbers are"),
        ({"split": "val"}, "No test split was scored"),
    ],
)
def test_limits_are_those_of_this_run(changes: dict[str, Any], told: str) -> None:
    assert any(told in limit for limit in limits(facts(**changes)))


def test_many_samples_are_no_limit() -> None:
    assert not any("samples only" in limit for limit in limits(facts(measured=measured(200))))


def test_the_description_is_the_card_in_short() -> None:
    text = description(facts())
    assert re.search(r"\| accuracy \| 0\.\d{3} \| 0\.\d{3} to 0\.\d{3} \|", text)
    assert "Data: our own clips, CC BY 4.0, identity 0123456789." in text
    assert "model_card.html" in text
    assert len(text) < 5000


def test_samples_of_another_training_are_refused() -> None:
    found = measured()
    accuracy = found.numbers["accuracy"].value
    hold_against(found, {"test/accuracy": accuracy}, "test")
    with pytest.raises(JackRayError, match=r"they are not of the same training.*from_run=RUN"):
        hold_against(found, {"test/accuracy": accuracy + 0.01}, "test")
