"""Events and checkpoints -> MLflow, by one process of its own. Nothing here but `mlflow_store` imports MLflow."""

from jack_ray.upload.protocol import SweepStarted, TrialStarted
from jack_ray.upload.uri import absolute_uri, check_uri
from jack_ray.upload.writer import Delivery, NoWriter, Writer

__all__ = ["Delivery", "NoWriter", "SweepStarted", "TrialStarted", "Writer", "absolute_uri", "check_uri"]
