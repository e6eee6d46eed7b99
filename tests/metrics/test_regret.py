import numpy as np
import pytest

from skparietal.metrics import regret_slope


def test_slope_of_a_power():
    rounds = np.geomspace(10, 1e4, 20)
    regret = np.stack([rounds**-0.4, 3 * rounds**-0.4])
    assert regret_slope(rounds, regret) == pytest.approx(-0.4, abs=1e-12)


def test_only_late_rounds_of_positive_regret_count():
    rounds = np.array([10, 300, 1000, 3000, 10_000])
    regret = np.array([1e9, 300**-0.5, -1.0, 3000**-0.5, 10_000**-0.5])
    assert regret_slope(rounds, regret) == pytest.approx(-0.5, abs=1e-12)


def test_lists_will_do_and_too_few_rounds_are_named():
    rounds = [100, 1000, 10_000]
    assert regret_slope(rounds, [0.1, 0.01, 0.001], since=100) == pytest.approx(-1)
    with pytest.raises(ValueError, match="two rounds of positive regret from since=5000 on, got 1"):
        regret_slope(rounds, [0.1, 0.01, 0.001], since=5000)
