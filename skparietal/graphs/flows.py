"""What flows through the edges of an activation graph, and how concentrated it is."""

from itertools import pairwise

import numpy as np
from sklearn.utils import gen_batches

from skparietal.graphs.layers import forward, hooked


def entering_activations(module, batch, edges):
    """Run a network and keep what enters the layers of a graph.

    Parameters
    ----------
    module : torch.nn.Module
        Network in evaluation mode.
    batch : torch.Tensor
        Samples.
    edges : Edges
        Kept edges of the network, which name the layers.

    Returns
    -------
    activations : torch.Tensor of shape (n_samples, n_input_units), dtype float32
        Absolute activations of the input units of each layer, layer after layer.
    output : torch.Tensor
        What the network returned.
    """
    import torch

    bounds = [0, *np.cumsum([n_in for n_in, _ in edges.n_units])]
    columns = {name: slice(*part) for name, part in zip(edges.layer_names, pairwise(bounds))}
    activations = torch.empty((len(batch), bounds[-1]), dtype=torch.float32)

    def collect(name, _, inputs, __):  # numpydoc ignore=GL08
        activations[:, columns[name]].copy_(inputs.flatten(1))

    modules = dict(module.named_modules())
    with hooked([(name, modules[name]) for name in edges.layer_names], collect):
        output = forward(module, batch)
    return activations.abs_(), output


def edge_flows(activations, edges, *, out=None):
    """Weight |w a| of each kept edge for each sample: one gather and one product.

    Parameters
    ----------
    activations : torch.Tensor of shape (n_samples, n_input_units), dtype float32
        From :func:`entering_activations`.
    edges : Edges
        Kept edges.
    out : C-contiguous ndarray of shape (n_samples, n_edges), dtype float32, default=None
        Where to write; None means a new array.

    Returns
    -------
    flows : ndarray of shape (n_samples, n_edges), dtype float32
        Weight of the trained edge times the activation that enters it, absolute.
    """
    import torch

    if out is None:
        # numpy asks for large pages of memory, which is several times faster than torch's own.
        out = np.empty((len(activations), len(edges.weights)), dtype=np.float32)
    flows = torch.from_numpy(out)
    torch.index_select(activations, 1, torch.from_numpy(edges.sources), out=flows)
    flows.mul_(torch.from_numpy(np.abs(edges.weights)))
    return out


def total_flows(activations, edges):
    """Sum of |w a| over all edges of the layers of a graph, kept or not.

    Parameters
    ----------
    activations : torch.Tensor of shape (n_samples, n_input_units), dtype float32
        From :func:`entering_activations`.
    edges : Edges
        Kept edges, with the strengths of the input units.

    Returns
    -------
    total : ndarray of shape (n_samples,)
        Sum over layers and edges.
    """
    return activations.numpy().astype(float) @ np.concatenate(edges.strengths)


def flow_summary(flows, total):
    """Summaries of how concentrated the flows of each sample are.

    Parameters
    ----------
    flows : ndarray of shape (n_samples, n_edges)
        Non-negative weights of the kept edges.
    total : ndarray of shape (n_samples,)
        Sum over all edges of the same layers.

    Returns
    -------
    summary : ndarray of shape (n_samples, 6)
        Gini index; entropy over its largest value; share of the strongest hundredth of the edges;
        sum; share of the kept edges in the total; largest. All but the sum and the largest are in
        [0, 1], and 0 where nothing flows.
    """
    n_edges = flows.shape[1]
    # Parts of a few megabytes stay in the cache from one pass to the next.
    n_rows = max(1, 2**18 // n_edges)
    return np.concatenate(
        [_summarize(flows[rows], total[rows]) for rows in gen_batches(len(flows), n_rows)]
    )


def _summarize(flows, total):
    flows, n_edges = np.sort(flows, axis=1), flows.shape[1]
    mass = flows.sum(axis=1, dtype=float)
    some = np.where(mass > 0, mass, 1)
    # Of sorted shares p: sum over i of (2 i - n - 1) p_i / n.
    gini = flows.astype(float) @ (2 * np.arange(1, n_edges + 1) - n_edges - 1) / (n_edges * some)
    # Of shares p = x / m: log m - sum of x log x / m.
    logs = np.log(np.maximum(flows, np.finfo(flows.dtype).tiny))
    entropy = np.log(some) - np.einsum("ij,ij->i", flows, logs, dtype=float) / some
    strongest = flows[:, -max(1, n_edges // 100) :].sum(axis=1, dtype=float) / some
    kept = mass / np.where(total > 0, total, 1)
    columns = (gini, entropy / max(np.log(n_edges), 1e-300), strongest, mass, kept, flows[:, -1])
    return np.column_stack(columns)
