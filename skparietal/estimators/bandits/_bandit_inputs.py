"""Checks of what a bandit is given: contexts, actions, rewards."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import validate_data

from skparietal.estimators._clean_input import is_clean


@contextmanager
def attributes_kept(bandit):  # numpydoc ignore=PR01
    """Give the bandit its attributes back if the block raises."""
    before = dict(vars(bandit))
    try:
        yield
    except Exception:  # whatever it was: nothing learned may be lost; it is raised again
        vars(bandit).clear()
        vars(bandit).update(before)
        raise


def check_contexts(bandit, X, reset=False):  # numpydoc ignore=PR01,RT01
    """Contexts (n, d) of a bandit, validated by scikit-learn unless clean."""
    named = hasattr(bandit, "feature_names_in_")  # then scikit-learn compares the names
    if not (reset or named) and is_clean(X, (bandit.n_features_in_,)):
        return X
    return validate_data(bandit, X, reset=reset, dtype=np.float64)


def check_action_features(bandit, X, reset=False):  # numpydoc ignore=PR01,RT01
    """Features (n, n_actions, d) of the actions of a bandit; sets ``n_features_in_`` on reset."""
    if not reset:
        shape = (len(bandit.classes_), bandit.n_features_in_)
        if is_clean(X, shape):
            return X
    X = check_array(X, dtype=np.float64, allow_nd=True, ensure_2d=False, input_name="X")
    if X.ndim != 3 or not (reset or X.shape[1:] == shape):
        wanted = "" if reset else f" = (n_samples, {shape[0]}, {shape[1]})"
        raise ValueError(
            f'model="shared" takes X of shape (n_samples, n_actions, n_features){wanted}; got '
            f"{X.shape}."
        )
    if reset:
        bandit.n_features_in_ = X.shape[2]
    return X


def action_labels(given, *, seen=None, n_described=None):  # numpydoc ignore=PR01,RT01
    """Labels of all actions: given, or those seen, or as many as X describes."""
    if given is not None:
        labels = column_or_1d(given)
        if len(np.unique(labels)) < len(labels):
            raise ValueError("actions must not hold the same label twice.")
        if n_described not in (None, len(labels)):
            raise ValueError(f"X describes {n_described} actions, but actions= has {len(labels)}.")
        return labels
    if n_described is not None:
        return np.arange(n_described)
    if seen is None:
        raise ValueError(
            "act does not know the actions before the first update: construct the bandit with "
            "actions=, the labels of all actions."
        )
    return np.unique(seen)


def action_positions(actions, index, n_samples):  # numpydoc ignore=PR01,RT01
    """Position of every action, given the position of every label."""
    if type(actions) is not np.ndarray or actions.ndim != 1:
        actions = column_or_1d(actions)
    if len(actions) != n_samples:
        raise ValueError(f"X has {n_samples} rows, but {len(actions)} actions were given.")
    try:
        return np.array([index[action] for action in actions.tolist()])
    except KeyError as error:
        raise ValueError(
            f"The action {error.args[0]!r} was not among {list(index)} at the first call. Name all "
            "actions at once by actions=, or by classes= in the first partial_fit."
        ) from None


def check_rewards(rewards, n_samples, n_rewards=None):  # numpydoc ignore=PR01,RT01
    """Rewards as a finite array (n_samples, n_rewards); None stands for a single reward of 1."""
    if rewards is None:
        rewards = np.ones((n_samples, 1))
    if n_rewards is None or not is_clean(rewards, (n_rewards,)):
        rewards = check_array(rewards, ensure_2d=False, dtype=np.float64, input_name="rewards")
        rewards = rewards.reshape(len(rewards), -1)
    if len(rewards) != n_samples:
        raise ValueError(f"X has {n_samples} rows, but rewards has {len(rewards)}.")
    if n_rewards not in (None, rewards.shape[1]):
        raise ValueError(
            f"rewards has {rewards.shape[1]} columns, but {n_rewards} at the first call; a bandit "
            "cannot change its rewards. Fit a new one."
        )
    return rewards
