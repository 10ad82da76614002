"""A trained model that stays: `python -m jack_ray.train.serve ORDER.json FD`, started by `jack_ray.served`.

Requests come on standard input, answers go to the pipe FD, each one JSON object a line, in order:
{"inputs": [path, ..], "timeline": false} and {"answers": [{"input", "label", "probabilities", ..} or {"input",
"error"}, ..]}. With "timeline": true answers also have what changes in the course of a file. The first line that it
writes is {"finds_segments": whether answers have segments}. What libraries print goes to standard output, which is
nobody's. The end of the requests ends it. Exit code 0, or 2 with one message where the model cannot be loaded.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import DataError, Fault, JackRayError
from jack_ray.contract.order import Order, load_order
from jack_ray.train.answering import answering_of
from jack_ray.train.apply import make_ready


class Serving:
    """A model that answers."""

    def __init__(self, order: Order) -> None:
        self.batch = order.batch
        self.answering = answering_of(order)
        self.finds_segments = self.answering.predictor.finds_segments

    def answers(self, inputs: Sequence[str], over_time: bool) -> list[dict[str, Any]]:
        """One for each input, in order; of one that cannot be read, why."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(inputs), self.batch):
            found += self._of_batch(inputs[start : start + self.batch], over_time)
        return found

    def _of_batch(self, inputs: Sequence[str], over_time: bool) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [{"input": one} for one in inputs]
        paths: list[Path] = []
        there: list[dict[str, Any]] = []
        for row in rows:
            try:
                paths.append(self._one(Path(row["input"])))
                there.append(row)
            except (DataError, OSError) as error:
                row["error"] = error.in_one_line() if isinstance(error, DataError) else str(error)
        for row, one in zip(there, self.answering.of(paths, over_time), strict=True):
            row |= {"error": DataError(one.faults).in_one_line()} if one.faults else one.answer
        return rows

    def _one(self, path: Path) -> Path:
        if not path.exists():
            raise DataError([Fault(str(path), "no such file or folder", "a file to answer for")])
        found = self.answering.predictor.find(path)
        if len(found) != 1:
            raise DataError([Fault(str(path), f"a folder of {len(found)}", "one of them")])
        return found[0]


def serve(order: Order, answers: int) -> int:
    """Answer until no more is asked. answers: the file descriptor that answers go to."""
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        try:
            serving = Serving(order)
        except JackRayError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        _tell(out, {"finds_segments": serving.finds_segments})
        for line in sys.stdin:
            request = json.loads(line)
            _tell(out, {"answers": serving.answers(request["inputs"], bool(request.get("timeline", False)))})
    return 0


def _tell(out: Any, value: dict[str, Any]) -> None:
    out.write(json.dumps(value, allow_nan=False) + "\n")
    out.flush()


def main(arguments: Sequence[str]) -> int:
    """Load the order's model and answer."""
    make_ready()
    return serve(load_order(Path(arguments[0])), int(arguments[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
