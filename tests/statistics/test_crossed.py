"""Mean squares of seeds and images, against arithmetic by hand and statsmodels' analysis of variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from fbench.statistics.crossed import MeanSquares, mean_squares, satterthwaite

# Row means 5, 3 and 1, column means 2, 4, 2 and 4, grand mean 3. By hand:
# SS_seed = 4 (4 + 0 + 4) = 32 on 2, SS_image = 3 (1 + 1 + 1 + 1) = 12 on 3, SS_residual = 4 on 6.
SMALL = np.array([[4, 6, 5, 5], [2, 4, 1, 5], [0, 2, 0, 2]], dtype=float)


def test_mean_squares_agree_with_a_hand_computed_two_way_analysis() -> None:
    squares = mean_squares(SMALL)
    assert (squares.seed, squares.image, squares.residual) == pytest.approx((16, 4, 4 / 3 * 0.5))


def test_mean_squares_agree_with_statsmodels() -> None:
    matrix = np.random.default_rng(3).normal(size=(4, 9))
    seed, image = np.indices(matrix.shape)
    frame = pd.DataFrame({"value": matrix.ravel(), "seed": seed.ravel(), "image": image.ravel()})
    table = anova_lm(ols("value ~ C(seed) + C(image)", data=frame).fit())
    squares = mean_squares(matrix)
    assert (squares.seed, squares.image, squares.residual) == pytest.approx(tuple(table["mean_sq"]), rel=1e-9)


def test_degrees_of_freedom_never_fall_below_those_of_the_poorest_factor() -> None:
    squares = MeanSquares(seeds=3, images=3589, seed=0.01, image=1.0, residual=1.0)
    plain = 0.01**2 / (0.01**2 / 2 + 1 / 3588 + 1 / (2 * 3588))
    assert plain == pytest.approx(0.2, abs=0.05)
    assert satterthwaite(squares) == 2


def test_mean_squares_need_two_seeds() -> None:
    with pytest.raises(ValueError, match="at least two seeds"):
        mean_squares(np.zeros((1, 3)))
