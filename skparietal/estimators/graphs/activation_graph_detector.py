"""ActivationGraphDetector: flags inputs whose activation graph does not look clean."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skparietal.estimators.graphs._activation_graph import (
    GRAPH_CONSTRAINTS,
    build_graph,
    check_rows,
    graph_flows,
    normalize_flows,
    sigmoid_parameters,
)
from skparietal.estimators.graphs._edge_scorers import (
    ClassBlindScorer,
    ClassConditionalScorer,
    CleanTail,
    UnitStrengths,
    predicted_classes,
    top_margins,
)
from skparietal.persistence import SlicedWassersteinKernel, persistence_diagram

N_FOLDS = 5


class ActivationGraphDetector(OutlierMixin, BaseEstimator):
    """Detector of adversarial inputs that learns from clean ones only.

    Each input draws a graph through the network (see
    :class:`~skparietal.ActivationGraphTransformer`); the detector scores how much its edges look
    like those of clean inputs that the network assigns to the same class, and how sure the network
    is of that class.

    Parameters
    ----------
    module : torch.nn.Module, default=None
        Trained network that returns logits; None trains an autoencoder on X, which makes this an
        anomaly detector of plain tables (there prefer ``layers="all", normalize=None``: how large
        the columns are is then part of the graph).
    initial_state : torch.nn.Module or dict of str to torch.Tensor, default=None
        The same network before its training, or its `state_dict`.
    selection : {"magnitude_increase", "magnitude_decrease", "small_final", "large_final", \
            "random", "all"}, default="magnitude_increase"
        Which weights of each layer to keep, as in the transformer.
    quantile : float or dict of str to float, default=0.1
        Share of each layer's weights to keep, or one for each layer's name.
    layers : {"inner", "all", "last"} or list of str, default="inner"
        Layers that carry edges.
    scorer : {"combined", "class-conditional", "one-class-svm", "sliced-wasserstein"}, \
            default="combined"
        What makes a row look clean:

        - "class-conditional": its graph is closer to the clean graphs of the predicted class than
          to those of any other (log ratio of squared Mahalanobis distances);
        - "combined": that, and the network is sure of the predicted class (log ratio of the two
          largest softmax probabilities), each measured by how few held-out clean rows score as low.
          Without a module there are no classes to be sure of, and the graph counts alone;
        - "one-class-svm": a one-class support vector machine on the edges, whatever the class;
        - "sliced-wasserstein": one on the persistence diagrams, of quadratic cost in the fitted
          rows.
    contamination : float, default=0.05
        Share of clean rows that `predict` flags, in (0, 0.5]: with a module, of rows held out in
        turn (5-fold), as fresh ones would be; without one, of the fitted rows themselves, as
        scikit-learn's outlier detectors do.
    nu : float, default=0.1
        Of the one-class support vector machines, in (0, 1].
    reg : float, default=1e-3
        Share of the overall standard deviation of a unit added to that within classes.
    normalize : {"sum", "sigmoid"} or None, default="sum"
        As in the transformer; the sum takes out how strong an input is as a whole.
    merge_units : bool, default=True
        For "sliced-wasserstein", as in the transformer.
    input_shape : tuple of int, default=None
        Shape of one sample as the module takes it, when X comes as a table of flattened samples.
    max_edges : int, default=200_000
        Kept edges above this number are drawn at random, with a warning.
    batch_size : int, default=512
        Rows in one forward pass.
    device : str or torch.device, default="cpu"
        Where the network runs.
    random_state : int, RandomState or None, default=None
        For the autoencoder, random selection, and the draw of edges.

    Attributes
    ----------
    network_ : object
        Private copy of the module, in evaluation mode, with its initial state.
    edges_ : Edges
        Kept edges.
    scorer_ : object
        Fitted scorer of the graphs.
    unit_strengths_ : object
        Which edges leave which unit.
    clean_tail_ : object
        How the held-out clean rows score, with ``scorer="combined"`` and a module, else None. Fewer
        than 10 rows are not held out.
    sigmoid_params_ : tuple of ndarray of shape (n_edges,)
        Median and slope, with ``normalize="sigmoid"``, else None.
    offset_ : float
        Rows that score below it are flagged.
    false_alarm_rate_ : float
        Share of the fitted rows below `offset_` when a scorer meets them for the first time
        (5-fold); nan with fewer than 10 of them.
    n_features_in_ : int
        Columns of X (channels, if X is an array of images).
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, when X has them.

    Raises
    ------
    ImportError
        If PyTorch is missing: install the extra ``skparietal[torch]``.
    NotImplementedError
        If a layer that would carry edges is not supported.
    ValueError
        As in the transformer.
    TypeError
        If the module returns anything but one tensor of logits.

    See Also
    --------
    ActivationGraphTransformer : The features, for a supervised detector in a pipeline.

    Notes
    -----
    The graph and the one-class machines are the paper's; on inner layers the machines fail, since
    adversarial activations are smaller than clean ones and look like inliers to them.

    The class-conditional score is ours. It sees the strength of each unit, the sum of its outgoing
    kept edges, standardised within the classes, with every layer counting alike, and the covariance
    within the classes, shrunk (of more than 2,048 units that of 256 principal directions). The
    standardisation divides the weights out again: but for ``normalize="sigmoid"``, `selection`
    decides only which units have edges and how many. The gallery measures whether under-optimised
    edges serve better than random ones of the same number.

    The combination is ours as well, by Fisher's method: the score is the sum of the logarithms of
    the shares of held-out clean rows whose graph, and whose margin between the two largest logits,
    is no higher. Attacks that stop at the decision boundary (DeepFool) have a small margin; those
    that push past it do not, but their graphs look like those of another class. An attacker who
    knows the detector is not covered.

    References
    ----------
    Goibert, Ricatte, Dohmatob, An Adversarial Robustness Perspective on the Topology of Neural
    Networks, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import ActivationGraphDetector
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> X[:, 4] = X[:, 0] + X[:, 1]
    >>> detector = ActivationGraphDetector(layers="all", normalize=None, random_state=0).fit(X)
    >>> detector.predict([[20.0, 0.0, 0.0, 0.0, -20.0]])
    array([-1])
    """

    _parameter_constraints = {
        **GRAPH_CONSTRAINTS,
        "scorer": [
            StrOptions({"combined", "class-conditional", "one-class-svm", "sliced-wasserstein"})
        ],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "nu": [Interval(Real, 0, 1, closed="right")],
        "reg": [Interval(Real, 0, None, closed="left")],
        "merge_units": ["boolean"],
    }

    def __init__(
        self,
        module=None,
        *,
        initial_state=None,
        selection="magnitude_increase",
        quantile=0.1,
        layers="inner",
        scorer="combined",
        contamination=0.05,
        nu=0.1,
        reg=1e-3,
        normalize="sum",
        merge_units=True,
        input_shape=None,
        max_edges=200_000,
        batch_size=512,
        device="cpu",
        random_state=None,
    ):
        self.module = module
        self.initial_state = initial_state
        self.selection = selection
        self.quantile = quantile
        self.layers = layers
        self.scorer = scorer
        self.contamination = contamination
        self.nu = nu
        self.reg = reg
        self.normalize = normalize
        self.merge_units = merge_units
        self.input_shape = input_shape
        self.max_edges = max_edges
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn what clean graphs look like.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Clean rows, better not those that the network was trained on.
        y : None
            Ignored.

        Returns
        -------
        self : ActivationGraphDetector
            Fitted.
        """
        X = check_rows(self, X, reset=True)
        self.network_, self.edges_ = build_graph(self, X)
        self.sigmoid_params_ = None
        if self.normalize == "sigmoid":
            flows = np.concatenate([flows for flows, _, _ in graph_flows(self, X)])
            self.sigmoid_params_ = sigmoid_parameters(flows, self.edges_)
        self.unit_strengths_ = UnitStrengths(self.edges_)
        graphs, classes, margins = (np.concatenate(parts) for parts in zip(*self._graphs(X)))
        self.scorer_ = self._new_scorer().fit(graphs, classes)
        scores = self.scorer_.score(graphs, classes)
        few = len(X) < 2 * N_FOLDS
        held_out = scores if few else self._held_out_scores(graphs, classes)
        self.clean_tail_ = None
        if self.scorer == "combined" and self.module is not None:
            self.clean_tail_ = CleanTail(np.column_stack([held_out, margins]))
        held_out = self._combine(held_out, margins)
        # Detectors of outliers in a table count them among the fitted rows, by convention.
        calibration = scores if self.module is None else held_out
        self.offset_ = float(np.percentile(calibration, 100 * self.contamination))
        self.false_alarm_rate_ = np.nan if few else float(np.mean(held_out < self.offset_))
        return self

    def score_samples(self, X):
        """Score how clean rows look.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is cleaner.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        return np.concatenate(
            [
                self._combine(self.scorer_.score(graphs, classes), margins)
                for graphs, classes, margins in self._graphs(X)
            ]
        )

    def decision_function(self, X):
        """Scores shifted so that flagged rows are negative.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Rows.

        Returns
        -------
        decision : ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Flag rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for adversarial, 1 for clean.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _graphs(self, X):
        """What the scorer sees of the graphs, predicted classes and margins, batch after batch."""
        for flows, output, _ in graph_flows(self, X):
            flows = normalize_flows(flows, self.normalize, self.sigmoid_params_)
            if self.module is None:
                # The autoencoder of a plain table predicts no class.
                yield self._seen(flows), np.zeros(len(flows), int), np.zeros(len(flows))
            elif isinstance(output, np.ndarray):
                yield self._seen(flows), predicted_classes(output), top_margins(output)
            else:
                raise TypeError(
                    "The detector needs a module that returns one tensor of logits, got "
                    f"{type(output)}. Wrap the module, or use ActivationGraphTransformer."
                )

    def _seen(self, flows):
        if self.scorer == "one-class-svm":
            return flows.astype(float)
        if self.scorer == "sliced-wasserstein":
            nodes = self.edges_.nodes(self.merge_units)
            diagrams = np.empty(len(flows), dtype=object)
            diagrams[:] = [persistence_diagram(row, *nodes) for row in flows]
            return diagrams
        return self.unit_strengths_(flows)

    def _new_scorer(self):
        if self.scorer == "one-class-svm":
            return ClassBlindScorer(make_pipeline(StandardScaler(), OneClassSVM(nu=self.nu)))
        if self.scorer == "sliced-wasserstein":
            svm = OneClassSVM(nu=self.nu, kernel="precomputed")
            return ClassBlindScorer(make_pipeline(SlicedWassersteinKernel(), svm))
        return ClassConditionalScorer(self.reg, self.unit_strengths_.weights)

    def _combine(self, graph_scores, margins):
        if self.clean_tail_ is None:
            return graph_scores
        return self.clean_tail_(np.column_stack([graph_scores, margins]))

    def _held_out_scores(self, graphs, classes):
        """Score of each row by a scorer that has not seen it."""
        scores = np.zeros(len(graphs))
        for train, test in KFold(N_FOLDS, shuffle=True, random_state=0).split(graphs):
            scorer = self._new_scorer().fit(graphs[train], classes[train])
            scores[test] = scorer.score(graphs[test], classes[test])
        return scores
