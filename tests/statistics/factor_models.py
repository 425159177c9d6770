"""The same linear model in statsmodels, as the reference of tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.formula.api import ols

FACTORS = ("alpha", "beta", "gamma")


def reference_model(values: npt.NDArray[np.float64]) -> Any:
    """``y ~ C(alpha) * C(beta) * ... + C(seed)`` fitted by least squares; ``values`` (levels..., seeds)."""
    names = FACTORS[: values.ndim - 1]
    places = np.indices(values.shape).reshape(values.ndim, -1)
    table = pd.DataFrame(dict(zip((*names, "seed"), places, strict=True)) | {"y": values.ravel()})
    return ols(f"y ~ {' * '.join(f'C({name})' for name in names)} + C(seed)", table).fit()


def example(shape: tuple[int, ...], random_seed: int = 1) -> npt.NDArray[np.float64]:
    """Accuracies with effects of every order, a common shift of each seed, and noise."""
    generator = np.random.default_rng(random_seed)
    cells = generator.normal(0.6, 0.02, shape[:-1])
    return np.asarray(cells[..., None] + generator.normal(0, 0.01, shape[-1]) + generator.normal(0, 0.008, shape))
