"""One file that cannot be answered spoils no other, and no answer has numbers that JSON does not know."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError, Fault
from jack_ray.contract.order import Order
from jack_ray.contract.trial import Trial
from jack_ray.methods.roles import Ask, Batch, Sample

pytestmark = pytest.mark.rank

ORDER = Order("serve", Trial("toy", {}, {}, {}, "", 1, 1), "", ("joy",), batch=2, window_s=5.0, max_s=60.0)


class Numbers:
    """Reads the number that a file is called, and answers with it."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def read(self, path: Path, max_s: float) -> Sample:
        """Raises what a file's name says."""
        if path.stem == "faulty":
            raise DataError([Fault(str(path), "broken", "a whole file")])
        if path.stem == "strange":
            raise IndexError("list index out of range")
        return {"value": float(path.stem), "max_s": max_s}

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """All at once."""
        self.batches.append(len(samples))
        return [{"values": np.array([sample["value"] for sample in samples])}]

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """The number."""
        return [{"probabilities": {"joy": value}} for value in outputs["out"].tolist()]

    def over_time(self, path: Path, answer: Mapping[str, Any], ask: Ask, window_s: float) -> dict[str, Any]:
        """Five windows."""
        return {"timeline": [dict(one) for one in ask({"value": float(number)} for number in range(5))]}


def answering(predictor: Numbers) -> Any:
    import jittor as jt

    from jack_ray.train.answering import Answering

    def model(batch: Batch) -> dict[str, Any]:
        if (batch["values"] == 13).any():
            raise RuntimeError("no kernel for this")
        return {"out": jt.array(batch["values"])}

    return Answering(ORDER, predictor, model)  # type: ignore[arg-type]  # no more of a predictor than is asked


def told(names: Sequence[str], over_time: bool = False) -> list[str]:
    found = answering(Numbers()).of([Path(name) for name in names], over_time)
    return [str(one.faults[0]) if one.faults else str(one.answer["probabilities"]["joy"]) for one in found]


def test_what_is_wrong_with_one_file_is_told_of_it_alone(capfd: pytest.CaptureFixture[str]) -> None:
    one, faulty, strange, crashing, two = told(["1", "faulty", "strange", "13", "2"])
    assert (one, two) == ("1.0", "2.0")
    assert faulty == "faulty: broken; expected a whole file"
    assert strange.startswith("strange: no answer (IndexError: list index out of range)")
    assert crashing.startswith("13: no answer (RuntimeError: no kernel for this)")
    assert "Traceback" in capfd.readouterr().err


def test_a_model_that_gives_nan_is_named_and_the_others_are_answered() -> None:
    one, broken = told(["1", "nan"])
    assert one == "1.0"
    expected = f"nan: probabilities.joy: the model {ORDER.trial.id} gives no number (NaN); expected finite numbers"
    assert broken.startswith(expected)


def test_windows_are_answered_for_in_batches_of_the_order() -> None:
    predictor = Numbers()
    (found,) = answering(predictor).of([Path("1")], over_time=True)
    assert [one["probabilities"]["joy"] for one in found.answer["timeline"]] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert predictor.batches == [1, 2, 2, 1]


def test_numbers_that_json_does_not_know_are_found_wherever_they_are() -> None:
    from jack_ray.train.answering import not_finite

    assert list(not_finite({"a": [1.0, {"b": float("inf")}], "c": "nan", "d": None})) == ["a.1.b"]
