"""The model as MLflow loads it (`mlflow.pyfunc`): files in, a table out. It computes in a process of its own.

MLflow runs this file from its copy in the registered model. Jittor is never imported here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from jack_ray.contract.checkpoint import MODEL, load_about
from jack_ray.contract.environment import default_jittor_home
from jack_ray.contract.order import Order
from jack_ray.served.process import Computing
from jack_ray.served.rows import asked, columns, table

BATCH = 8


class ServedModel(PythonModel):
    """A trained model of jack_ray."""

    def __init__(self) -> None:
        self.computing: Computing | None = None

    def load_context(self, context: Any) -> None:
        """Find the checkpoint among the model's artifacts; nothing is started yet."""
        folder = Path(context.artifacts["checkpoint"])
        about = load_about(folder)
        order = Order("serve", about.trial, str(folder / MODEL), about.labels, batch=BATCH)
        self.computing = Computing(order, default_jittor_home())

    def predict(self, context: Any, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """A row for each input: input, label, probabilities, error, and segments where the method finds them.

        model_input: a table with a column `input` of paths. Raises JackRayError.
        """
        assert self.computing is not None
        rows = asked([str(one) for one in model_input["input"]], self.computing.ask)
        wanted = columns(self.computing.finds_segments)
        # of objects: a column of texts would have NaN for None, which is no JSON
        return pd.DataFrame(table(rows, wanted), columns=list(wanted), dtype=object)


set_model(ServedModel())
