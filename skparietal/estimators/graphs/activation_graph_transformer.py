"""ActivationGraphTransformer: rows to the flows through a network's under-optimised edges."""

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skparietal.estimators.graphs._activation_graph import (
    GRAPH_CONSTRAINTS,
    build_graph,
    check_rows,
    graph_flows,
    normalize_flows,
    sigmoid_parameters,
)
from skparietal.graphs import flow_summary, total_flows
from skparietal.persistence import persistence_diagrams


class ActivationGraphTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features of the graph that an input draws as it passes through a network.

    An edge leads from an input unit to an output unit of a linear or convolutional layer; its
    weight is that of the trained network times the activation that enters, absolute. Adversarial
    inputs lean on edges that training has left behind; `selection` keeps those.

    The user's module is copied, never changed. Without a module, a small autoencoder is trained on
    the table itself, which makes the features usable for any numeric table.

    Parameters
    ----------
    module : torch.nn.Module, default=None
        Trained network; None trains an autoencoder on X.
    initial_state : torch.nn.Module or dict of str to torch.Tensor, default=None
        The same network before its training, or its `state_dict`.
    selection : {"magnitude_increase", "magnitude_decrease", "small_final", "large_final", \
            "random", "all"}, default="magnitude_increase"
        Which weights to keep of each layer: those whose magnitude grew least (the under-optimised
        ones) or grew most, the smallest or largest trained ones, random ones, or all. The first two
        need `initial_state`.
    quantile : float or dict of str to float, default=0.1
        Share of each layer's weights to keep, or one for each layer's name.
    layers : {"inner", "all", "last"} or list of str, default="inner"
        Layers that carry edges: all linear and convolutional ones but the first, all of them, the
        last, or those of these qualified names.
    features : {"edges", "persistence", "summary"}, default="edges"
        Weights of the kept edges; zero-dimensional persistence diagrams of the graph they form; or
        six numbers: Gini index, normalised entropy, share of the strongest hundredth, sum, share
        of the kept edges in all, largest.
    normalize : {"sum", "sigmoid"}, default=None
        Divide each sample's edge weights by their sum, or apply to each layer the sigmoid whose
        centre is the median and which reaches .999 at the .999 quantile of the fitted rows.
    merge_units : bool, default=True
        For diagrams: whether the output units of a layer are the input units of the next where
        their numbers agree.
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
    layer_names_ : list of str
        Layers that carry edges, in the order of the forward pass.
    n_units_ : list of tuple of int
        Input and output units of each of them.
    edge_layers_, edge_rows_, edge_cols_ : ndarray of shape (n_edges,)
        Layer of each edge, and its output and input unit within the layer.
    edge_weights_ : ndarray of shape (n_edges,)
        Trained weight of each edge.
    sigmoid_params_ : tuple of ndarray of shape (n_edges,)
        Median and slope, with ``normalize="sigmoid"``, else None.
    n_features_in_ : int
        Columns of X (channels, if X is an array of images).
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, when X has them.

    Raises
    ------
    ImportError
        If PyTorch is missing: install the extra ``skparietal[torch]``.
    NotImplementedError
        If a layer that would carry edges is neither Linear nor zero-padded Conv2d, or is called
        more than once in a pass; leave it out of `layers`.
    ValueError
        If `initial_state` is missing, of another shape or equal to the trained weights, or a
        quantile keeps no edge.

    See Also
    --------
    ActivationGraphDetector : Detector on these features.

    Notes
    -----
    Batch normalisation, activations, pooling and dropout carry no edges: each edge starts from the
    tensor that enters its layer, so all of them are in its weight. Of a residual sum the sum
    itself is what enters. ``transform`` with ``features="persistence"`` returns a list of arrays of
    shape (n_points, 2), for :class:`skparietal.persistence.SlicedWassersteinKernel`.

    The definition of the graph, of the under-optimised edges and of the sigmoid is the paper's and
    its public code's; the exact edges of a convolution without its matrix, the summary and the
    autoencoder are ours.

    References
    ----------
    Goibert, Ricatte, Dohmatob, An Adversarial Robustness Perspective on the Topology of Neural
    Networks, 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skparietal import ActivationGraphTransformer
    >>> X, _ = load_iris(return_X_y=True)
    >>> ActivationGraphTransformer(features="summary", random_state=0).fit_transform(X).shape
    (150, 6)
    """

    _parameter_constraints = {
        **GRAPH_CONSTRAINTS,
        "features": [StrOptions({"edges", "persistence", "summary"})],
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
        features="edges",
        normalize=None,
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
        self.features = features
        self.normalize = normalize
        self.merge_units = merge_units
        self.input_shape = input_shape
        self.max_edges = max_edges
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Choose the edges.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Clean rows. They matter for ``normalize="sigmoid"`` and for the autoencoder; with a
            module otherwise their shape alone does.
        y : None
            Ignored.

        Returns
        -------
        self : ActivationGraphTransformer
            Fitted.
        """
        X = check_rows(self, X, reset=True)
        self.network_, self.edges_ = build_graph(self, X)
        edges = self.edges_
        self.layer_names_, self.n_units_ = list(edges.layer_names), list(edges.n_units)
        self.edge_layers_, self.edge_rows_ = edges.layers, edges.rows
        self.edge_cols_, self.edge_weights_ = edges.cols, edges.weights
        self.sigmoid_params_ = None
        if self.normalize == "sigmoid":
            flows = np.concatenate([flows for flows, _, _ in graph_flows(self, X)])
            self.sigmoid_params_ = sigmoid_parameters(flows, edges)
        return self

    def transform(self, X):
        """Features of the graphs of some rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Rows.

        Returns
        -------
        features : ndarray of shape (n_samples, n_edges) or (n_samples, 6), dtype float32
            Or, with ``features="persistence"``, a list of arrays of shape (n_points, 2).
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        if self.features == "edges":
            return self._edges(X)
        if self.features == "summary":
            parts = [
                flow_summary(flows, total_flows(activations, self.edges_))
                for flows, _, activations in graph_flows(self, X)
            ]
            return np.concatenate(parts).astype(np.float32)
        nodes = self.edges_.nodes(self.merge_units)
        diagrams = []
        for flows, _, _ in graph_flows(self, X):
            flows = normalize_flows(flows, self.normalize, self.sigmoid_params_)
            diagrams += persistence_diagrams(flows, *nodes)
        return diagrams

    def _edges(self, X):
        # One array for all batches: a copy of what may be gigabytes would cost as much again.
        edges = np.empty((len(X), len(self.edges_.weights)), dtype=np.float32)
        for flows, _, _ in graph_flows(self, X, out=edges):
            normalize_flows(flows, self.normalize, self.sigmoid_params_)
        return edges

    @property
    def _n_features_out(self):
        return len(self.edges_.weights) if self.features == "edges" else 6

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
