"""Private and version-dependent names of scikit-learn that skparietal uses, in one place."""

import numpy as np
from sklearn.utils.validation import _check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9 has no public callbacks

    class _NoCallbacks:
        """Context of a fit that nobody listens to."""

        def subcontext(self, **kwargs):
            return self

        def call_on_fit_task_begin(self, **kwargs):
            return self

        def call_on_fit_task_end(self, **kwargs):
            return False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in without `set_callbacks`."""

        def _init_callback_context(self, **kwargs):
            return _NoCallbacks()

    def with_callbacks(method):
        """Return the method itself."""
        return method


def has_callbacks(estimator):
    """Whether callbacks listen to the fits of an estimator.

    Parameters
    ----------
    estimator : object
        With `set_callbacks`, or the one of a meta-estimator that passes its own on.

    Returns
    -------
    listening : bool
        Always False before scikit-learn 1.9.
    """
    return bool(getattr(estimator, "_skl_callbacks", None))


def check_sample_weight(sample_weight, X, **settings):
    """Validate weights as scikit-learn does, and refuse zeros only, as its later versions do.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        Weights.
    X : array-like of shape (n_samples, n_features)
        Rows.
    **settings : dict
        For scikit-learn's own check.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,)
        Weights, ones for None.

    Raises
    ------
    ValueError
        If a weight is out of range, or all are zero.
    """
    sample_weight = _check_sample_weight(sample_weight, X, **settings)
    if not np.any(sample_weight):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return sample_weight


__all__ = ["CallbackSupportMixin", "check_sample_weight", "has_callbacks", "with_callbacks"]
