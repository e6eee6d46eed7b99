"""make_mixed_regression: what it promises about the truth."""

import numpy as np
import pytest

from skparietal.datasets import make_mixed_regression


def test_labels_follow_the_truth_without_noise():
    X, y, synthetic, truth = make_mixed_regression(
        20, 30, spectrum=[4.0, 1.0, 0.5], noise_variance_real=0, return_truth=True, random_state=0
    )
    np.testing.assert_array_equal(synthetic, np.arange(50) >= 20)
    np.testing.assert_allclose(y[~synthetic], X[~synthetic] @ truth.coef)
    np.testing.assert_allclose(y[synthetic], X[synthetic] @ (truth.coef + truth.shift))


def test_shift_has_the_excess_risk_asked_for_and_the_signal_variance_1():
    truth = make_mixed_regression(
        5, 5, spectrum=[4.0, 1.0, 0.5], shift_error=0.3, return_truth=True, random_state=0
    )[3]
    assert np.sum(truth.spectrum * truth.shift**2) == pytest.approx(0.3)
    assert np.sum(truth.spectrum * truth.coef**2) == pytest.approx(1)


def test_inputs_and_noise_have_the_variances_asked_for():
    X, y, synthetic = make_mixed_regression(
        20_000,
        20_000,
        spectrum=[4.0, 0.5],
        coef=[0.0, 0.0],
        shift_error=0,
        noise_variance_real=0.25,
        noise_variance_synthetic=2.0,
        random_state=0,
    )
    # Variances of 20,000 Gaussians: a relative error of 1 %.
    np.testing.assert_allclose(X.var(axis=0), [4.0, 0.5], rtol=0.04)
    assert y[~synthetic].var() == pytest.approx(0.25, rel=0.04)
    assert y[synthetic].var() == pytest.approx(2.0, rel=0.04)


@pytest.mark.parametrize(
    "change, match",
    [
        ({"shift_error": -1.0}, "must be >= 0"),
        ({"spectrum": [-1.0, 1.0]}, "must be >= 0"),
        ({"coef": [1.0]}, "coef must have shape"),
    ],
)
def test_bad_arguments_are_named(change, match):
    with pytest.raises(ValueError, match=match):
        make_mixed_regression(10, 10, 2, **change)
