"""What the transformer and the detector share: parameters, the kept edges, flows in batches."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.special import expit
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from skparietal._torch import import_torch
from skparietal.estimators.graphs._network import TrainedNetwork, UserNetwork
from skparietal.graphs import (
    NEEDS_INITIAL,
    SELECTIONS,
    activation_graph,
    edge_flows,
    entering_activations,
    float_array,
)

GRAPH_CONSTRAINTS = {
    "module": "no_validation",
    "initial_state": "no_validation",
    "selection": [StrOptions({*SELECTIONS, "all"})],
    "quantile": [Interval(Real, 0, 1, closed="right"), dict],
    "layers": [StrOptions({"inner", "all", "last"}), list, tuple],
    "normalize": [StrOptions({"sum", "sigmoid"}), None],
    "input_shape": [tuple, list, None],
    "max_edges": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "device": "no_validation",
    "random_state": ["random_state"],
}


def check_rows(estimator, X, *, reset):
    """Validate rows: a table, or images for a module of the user's.

    Parameters
    ----------
    estimator : estimator
        With `module`.
    X : array-like of shape (n_samples, ...)
        Rows.
    reset : bool
        Whether this is the fit.

    Returns
    -------
    X : ndarray
        Of 32 or 64 bits.
    """
    dtype = [np.float64, np.float32]
    # A single row says nothing about what is usual.
    least = 2 if reset and estimator.module is None else 1
    return validate_data(
        estimator,
        X,
        dtype=dtype,
        reset=reset,
        allow_nd=estimator.module is not None,
        ensure_min_samples=least,
    )


def build_graph(estimator, X):
    """Make the network and choose its edges.

    Parameters
    ----------
    estimator : estimator
        With the parameters of `GRAPH_CONSTRAINTS`.
    X : ndarray
        Validated rows.

    Returns
    -------
    network : UserNetwork or TrainedNetwork
        Private to the estimator.
    edges : Edges
        Kept edges, at most `max_edges`.
    """
    torch, rng = import_torch(), check_random_state(estimator.random_state)
    # Training and the strengths of the units take gradients, whatever the caller's mode.
    with torch.inference_mode(False), torch.enable_grad():
        if estimator.module is None:
            network = TrainedNetwork(X, seed=rng.randint(np.iinfo(np.int32).max))
        else:
            network = _user_network(estimator, X.shape[1:])
        edges = activation_graph(
            network.module,
            network.tensor(X[:1]),
            layers=estimator.layers,
            selection=estimator.selection,
            quantile=estimator.quantile,
            initial=network.initial,
            rng=rng,
        )
    n_edges = len(edges.weights)
    if n_edges > estimator.max_edges:
        warnings.warn(
            f"{n_edges} edges were selected; max_edges={estimator.max_edges} of them, drawn at "
            "random, are kept. Lower quantile, name fewer layers, or raise max_edges.",
            UserWarning,
            stacklevel=3,
        )
        edges = edges.take(np.sort(rng.choice(n_edges, estimator.max_edges, replace=False)))
    return network, edges


def _user_network(estimator, sample_shape):
    from torch import nn

    if not isinstance(estimator.module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module or None, got {type(estimator.module)}.")
    if estimator.selection in NEEDS_INITIAL and estimator.initial_state is None:
        raise ValueError(
            f"selection={estimator.selection!r} compares with the weights before training: pass "
            "initial_state, or use selection='small_final', which needs none."
        )
    return UserNetwork(
        estimator.module,
        estimator.initial_state,
        estimator.input_shape,
        estimator.device,
        sample_shape,
    )


def graph_flows(estimator, X, out=None):
    """Flows through the kept edges and outputs of the network, batch after batch.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `network_`, `edges_` and `batch_size`.
    X : ndarray
        Validated rows.
    out : ndarray of shape (n_samples, n_edges), dtype float32, default=None
        Where to write the flows of all rows; None means a new array for each batch.

    Yields
    ------
    flows : ndarray of shape (n_batch, n_edges), dtype float32
        Not normalised.
    output : ndarray of shape (n_batch, ...)
        What the network returned; as it is, if that is no tensor.
    activations : torch.Tensor of shape (n_batch, n_input_units)
        What entered the layers, absolute.
    """
    network, edges = estimator.network_, estimator.edges_
    for rows in gen_batches(len(X), estimator.batch_size):
        activations, output = entering_activations(network.module, network.tensor(X[rows]), edges)
        flows = edge_flows(activations, edges, out=None if out is None else out[rows])
        yield flows, float_array(output) if hasattr(output, "detach") else output, activations


def sigmoid_parameters(flows, edges):
    """Median and slope of the sigmoid of each layer.

    Parameters
    ----------
    flows : ndarray of shape (n_samples, n_edges)
        Flows of clean samples.
    edges : Edges
        Kept edges.

    Returns
    -------
    median, slope : ndarray of shape (n_edges,)
        Equal within a layer; the sigmoid reaches .999 at the layer's .999 quantile.

    References
    ----------
    Goibert, Ricatte, Dohmatob, An Adversarial Robustness Perspective on the Topology of Neural
    Networks, 2022 (as in the authors' code).
    """
    median, slope = np.zeros((2, flows.shape[1]), dtype=np.float32)
    for part in edges.slices:
        if part.start < part.stop:
            middle, high = np.quantile(flows[:, part], [0.5, 0.999])
            median[part] = middle
            slope[part] = np.log(999) / (high - middle) if high > middle else 0.0
    return median, slope


def normalize_flows(flows, normalize, parameters):
    """Normalise flows.

    Parameters
    ----------
    flows : ndarray of shape (n_samples, n_edges)
        Flows; overwritten.
    normalize : {"sum", "sigmoid"} or None
        Divide each sample by its sum (a sample without flow stays zero), or apply the layers'
        sigmoids.
    parameters : tuple of ndarray or None
        Of the sigmoids.

    Returns
    -------
    flows : ndarray of shape (n_samples, n_edges)
        Normalised.
    """
    if normalize == "sum":
        mass = flows.sum(axis=1, keepdims=True, dtype=float).astype(flows.dtype)
        flows /= np.where(mass > 0, mass, 1)
    elif normalize == "sigmoid":
        median, slope = parameters
        flows -= median
        flows *= slope
        expit(flows, out=flows)
    return flows
