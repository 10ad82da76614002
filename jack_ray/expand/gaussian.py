"""Points by a Gaussian process: a model of the metric over all settings, and the point where it promises most.

Matern kernel (nu 5/2) with a length for each setting, as in Snoek et al., "Practical Bayesian Optimization of Machine
Learning Algorithms" (NeurIPS 2012); the logarithm of the expected improvement as in Ament et al., "Unexpected
Improvements to Expected Improvement" (NeurIPS 2023). Optuna's own needs PyTorch.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from jack_ray.expand.history import Seen
from jack_ray.expand.space import Axis
from jack_ray.expand.unit import coordinates_of, features_of, params_at

Floats = NDArray[np.float64]

_CANDIDATES = 1000
"""Points at which the model is asked, anywhere."""
_ROUNDS = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Then around the best of them, closer each time: standard deviations of the coordinates."""
_AROUND = 200


def is_ready(axes: Sequence[Axis], seen: Sequence[Seen]) -> bool:
    """Whether enough trials have finished for a model."""
    return sum(entry.outcome == "finished" for entry in seen) >= 2 * len(axes) + 1


def draw(axes: Sequence[Axis], seen: Sequence[Seen], seed: int) -> dict[str, Any]:
    """The point with the largest expected improvement; the same for the same history and seed.

    Trials that still run are taken to end like the mean of the others (the constant liar of Ginsbourger et al. 2010),
    so that points drawn at the same time keep apart. Failed ones count as the worst.
    """
    # One thread: the ranks compute beside it, and the order of sums does not depend on the number of cores.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its limit: a setting that does not matter
        features, values = _observations(axes, seen)
        model = _fit(features, values, seed)
        best = float(values.max())
        random = np.random.default_rng(seed)
        found = random.random((_CANDIDATES, len(axes)))
        leader = coordinates_of(axes, max(seen, key=_value).params)
        found = np.concatenate([found, np.clip(random.normal(leader, 0.05, (_AROUND, len(axes))), 0.0, 1.0)])
        for width in _ROUNDS:
            around = np.asarray(_best(axes, model, found, best))
            near = np.clip(random.normal(around, width, (_AROUND, len(axes))), 0.0, 1.0)
            found = np.concatenate([around[None], near])
        return params_at(axes, _best(axes, model, found, best))


def _value(entry: Seen) -> float:
    return entry.value if entry.outcome == "finished" and entry.value is not None else -np.inf


def _observations(axes: Sequence[Axis], seen: Sequence[Seen]) -> tuple[Floats, Floats]:
    """Features and standardised values of all points asked for."""
    known = np.array([entry.value for entry in seen if entry.value is not None])
    lies = {"running": float(known.mean()), "failed": float(known.min()), "stopped": float(known.min())}
    values = np.array([entry.value if entry.value is not None else lies[entry.outcome] for entry in seen])
    spread = float(known.std()) or 1.0
    return np.array([features_of(axes, entry.params) for entry in seen]), (values - known.mean()) / spread


def _fit(features: Floats, values: Floats, seed: int) -> GaussianProcessRegressor:
    lengths = np.full(features.shape[1], 0.5)
    kernel = ConstantKernel(1.0, (0.05, 20.0)) * Matern(lengths, (0.02, 20.0), nu=2.5) + WhiteKernel(1e-3, (1e-6, 0.5))
    model = GaussianProcessRegressor(kernel, alpha=1e-10, n_restarts_optimizer=2, random_state=seed % 2**32)
    return model.fit(features, values)


def _best(axes: Sequence[Axis], model: GaussianProcessRegressor, found: Floats, best: float) -> list[float]:
    """The candidate of which most is expected, judged at the values that it really gives."""
    features = np.array([features_of(axes, params_at(axes, point)) for point in found])
    mean, deviation = model.predict(features, return_std=True)
    return list(found[int(np.argmax(log_expected_improvement(mean, deviation, best)))])


def log_expected_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """log E[max(X - best, 0)] of normally distributed X; finite also where the improvement itself is 0 in floats."""
    deviation = np.maximum(deviation, 1e-12)
    z = (mean - best) / deviation
    # The first form is exact near the best, the second far below it (Ament et al., equation 9).
    near = np.maximum(z, -1.0)
    direct = np.log(np.exp(-(near**2) / 2) / np.sqrt(2 * np.pi) + near * ndtr(near))
    far = np.minimum(z, -1.0)
    ratio = np.log(erfcx(-far / np.sqrt(2)) * -far) + np.log(np.pi / 2) / 2
    # Beyond 1e6 deviations erfcx(x) is 1 / (x sqrt(pi)) to the last digit, and the difference is 1 / z^2.
    log_difference = np.where(far < -1e6, -2 * np.log(-far), np.log(-np.expm1(np.minimum(ratio, -1e-300))))
    tail = -(far**2) / 2 - np.log(2 * np.pi) / 2 + log_difference
    return np.asarray(np.where(z > -1.0, direct, tail) + np.log(deviation))
