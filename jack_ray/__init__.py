"""Sweeps of affective-computing methods in Jittor, scheduled by Ray, compared in MLflow."""

__version__ = "0.1.0"
