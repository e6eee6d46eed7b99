"""What a fitted memory tells about itself, computed when it is read."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def predicts_recall(memory):
    """Whether the recall formula describes an `AssociativeMemory` with these parameters.

    Parameters
    ----------
    memory : AssociativeMemory
        Fitted or not.

    Returns
    -------
    predicts : bool
        True.

    Raises
    ------
    AttributeError
        If it does not.
    """
    if memory.solver != "counts" or memory.columns != "joint":
        raise AttributeError(
            "The recall formula holds for solver='counts' and columns='joint' only."
        )
    return True


def _attribute(read, doc):
    def get(self):
        check_is_fitted(self)
        return read(self)

    return property(get, doc=doc)


def _recall_attribute(read, doc):
    def get(self):
        check_is_fitted(self)
        predicts_recall(self)
        return read(self)

    return property(get, doc=doc)


def _irreducible_error(self):
    if self.columns != "joint":
        raise AttributeError("Only the errors of joint columns have a known part.")
    return self._state.memory.irreducible_error


def _stored(self):
    memory = self._state.memory
    best = memory.scores(memory.facts.keys).argmax(axis=1)
    return (memory.facts.weights > 0) & (best == memory.labels)


def _tail_exponent(self):
    weights = self._state.memory.totals
    head = int(np.count_nonzero(weights >= 5))
    if head < 3:
        return np.nan
    return float(-np.polyfit(np.log(np.arange(1, head + 1)), np.log(weights[:head]), 1)[0])


class MemoryAttributes:
    """Attributes of `AssociativeMemory`, documented there, and predictions about its keys."""

    memory_matrix_ = _attribute(lambda self: self._state.memory.matrix, "Memory W.")
    label_embeddings_ = _attribute(
        lambda self: self._state.memory.facts.label_embeddings, "Label embeddings."
    )
    keys_ = _attribute(lambda self: self._state.memory.facts.keys, "Keys by decreasing weight.")
    key_labels_ = _attribute(
        lambda self: self.classes_[self._state.memory.labels], "Most frequent label of each key."
    )
    key_weights_ = _attribute(lambda self: self._state.memory.totals, "Weight of each key.")
    key_weight_error_ = _attribute(
        lambda self: self._state.table.undercount, "Bound on what `key_weights_` lack."
    )
    storage_weights_ = _attribute(
        lambda self: self._state.memory.facts.weights, "Strength q of each key."
    )
    n_stored_ = _attribute(lambda self: self._state.memory.n_stored, "Number of stored keys.")
    stored_ = _attribute(_stored, "Whether each key is stored and recalled.")
    unseen_mass_ = _attribute(
        lambda self: self._state.memory.unseen_mass, "Probability of a key never seen."
    )
    irreducible_error_ = _attribute(
        _irreducible_error, "Predicted error on new rows if all known keys were recalled."
    )
    alpha_ = _attribute(_tail_exponent, "Exponent of the weights against their ranks.")
    temperature_ = _attribute(
        lambda self: self._state.memory.calibration.temperature,
        "Scale of the scores in predict_proba.",
    )
    n_iter_ = _attribute(lambda self: self._state.memory.n_iter, "Sweeps of the solver.")
    expected_recall_ = _recall_attribute(
        lambda self: self._state.memory.recall, "Predicted recall of each key."
    )
    expected_error_ = _recall_attribute(
        lambda self: self._state.memory.expected_error, "Predicted error on new rows."
    )

    @available_if(predicts_recall)
    def recall_probability(self, X):
        """Predicted probability, over draws of the embeddings, that the stored label is recalled.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens.

        Returns
        -------
        recall : ndarray of shape (n_samples,)
            1 / n_classes for rows that are not known; ``expected_recall_`` is that of ``keys_``.
        """
        keys = self._keys_of(X)
        memory = self._state.memory
        order = np.argsort(memory.facts.keys)
        position = order[np.searchsorted(memory.facts.keys, keys, sorter=order) % len(order)]
        known = memory.facts.keys[position] == keys
        return np.where(known, memory.recall[position], 1.0 / len(self.classes_))

    def association_matrix(self, n_keys=None):
        """Score of every label on the most frequent keys.

        Parameters
        ----------
        n_keys : int, default=None
            Number of keys; None means all.

        Returns
        -------
        scores : ndarray of shape (n_keys, n_classes)
            E W' U'; rows in the order of ``keys_``.
        """
        check_is_fitted(self)
        return self._state.memory.scores(self.keys_[:n_keys])
