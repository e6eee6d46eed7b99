"""scikit-learn's own checks on every public estimator; a new one is picked up by itself."""

import inspect
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import estimator_checks as checks

import skparietal

ESTIMATORS = {
    name: value
    for name in skparietal.__all__
    if inspect.isclass(value := getattr(skparietal, name)) and issubclass(value, BaseEstimator)
}
# Settings that change what an estimator computes enough to deserve the checks of their own.
VARIANTS = {
    "ActivationGraphDetector": [{"scorer": "one-class-svm"}],
    "ActivationGraphTransformer": [{"features": "summary"}],
    "FairRankingFW": [
        {"solver": "fw"},
        {"objective": "gini"},
        {"objective": "quality", "tol": 0.01},
    ],
    "AdaptiveRidgeCollapse": [
        {"generator_error": None, "n_generations": 0},
        {
            "generator_error": None,
            "generator_n_samples": 500,
            "generator_alpha": 3.0,
            "generator_noise_variance": 0.1,
        },
        {"kernel": "rbf"},
        {"kernel": "precomputed"},
    ],
    "AdversarialRidge": [
        {"norm": "linf"},
        {"norm": "l1", "scale": "train"},
        {"objective": "empirical", "tol": 1e-11},
        {"objective": "surrogate", "scale": "noise_free"},
    ],
    "EarlyStoppedRobustGD": [
        {"norm": "linf"},
        {"norm": "l1", "stopping": "plugin"},
        {"stopping": "cv"},
    ],
    "AssociativeMemory": [{"columns": "sum"}, {"solver": "passive-aggressive"}],
    "ConcaveRankingBandit": [{"objective": "gini"}],
    "ConcaveRewardBandit": [{"base": "squarecb"}],
    "SyntheticMixRidge": [
        {"selection": "loo"},
        {"kernel": "rbf"},
        {"n_components": 40, "random_state": 0},
    ],
    "TailMemoryClassifier": [{"capacity": 20}, {"fallback": GaussianNB()}],
}

# Checks that scikit-learn runs on its own estimators but not in check_estimator.
EXTRA_CHECKS = [
    checks.check_param_validation,
    checks.check_dataframe_column_names_consistency,
    checks.check_set_output_transform,
    checks.check_set_output_transform_pandas,
    checks.check_set_output_transform_polars,
    checks.check_global_output_transform_pandas,
    checks.check_global_set_output_transform_polars,
    checks.check_transformer_get_feature_names_out,
    checks.check_transformer_get_feature_names_out_pandas,
]


def instances():
    for name, cls in ESTIMATORS.items():
        yield cls(**checks_parameters(name))
        for parameters in VARIANTS.get(name, []):
            yield cls(**{**checks_parameters(name), **parameters})


def checks_parameters(name):
    """Smaller settings for the checks: the same estimator, quicker."""
    return QUICK.get(name, {})


QUICK = {
    # Otherwise generator_n_samples is unknown, which a warning tells.
    "AdaptiveRidgeCollapse": {"generator_error": 0.05},
}

parametrize_checks = (
    checks.parametrize_with_checks(list(instances())) if ESTIMATORS else lambda test: None
)


# In scikit-learn 1.6 the check itself subtracts a mean from integers in place, and fails.
BROKEN_IN_1_6 = "check_positive_only_tag_during_fit"


@parametrize_checks
def test_scikit_learn_checks(estimator, check):
    name = getattr(check, "func", check).__name__
    if name == BROKEN_IN_1_6 and sklearn.__version__.startswith("1.6."):
        pytest.skip("scikit-learn 1.6 subtracts floats from integers in place in this check")
    check(estimator)


# The checks of set_output mix data frames and arrays on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize("check", EXTRA_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", list(instances()), ids=repr)
def test_extra_scikit_learn_checks(estimator, check):
    if "transform" in check.__name__ and not hasattr(estimator, "transform"):
        return
    check(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("estimator", list(instances()), ids=repr)
def test_unfitted_estimator_survives_clone_and_pickle(estimator):
    copy = pickle.loads(pickle.dumps(clone(estimator)))
    assert repr(copy) == repr(estimator)


def test_array_api_checks_run_without_a_skip():
    # scikit-learn skips them unless the variable is set before scipy is imported: a new process.
    if os.environ.get("SCIPY_ARRAY_API") == "1":
        return
    command = [
        sys.executable,
        "-m",
        "pytest",
        __file__,
        "-k",
        "array_api",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTEST_ADDOPTS": ""}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout
    assert "passed" in run.stdout


def test_every_public_name_exists():
    assert all(hasattr(skparietal, name) for name in skparietal.__all__)
    assert np.unique(skparietal.__all__).size == len(skparietal.__all__)
