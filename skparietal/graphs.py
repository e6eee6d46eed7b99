"""Activation graph of a network: its edges, the under-optimised ones, what flows through them."""

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Entries with the lowest score are kept; w is the trained and w0 the initial weight.
SELECTIONS = {
    "magnitude_increase": lambda w, w0, rng: np.abs(w) - np.abs(w0),
    "magnitude_decrease": lambda w, w0, rng: np.abs(w0) - np.abs(w),
    "small_final": lambda w, w0, rng: np.abs(w),
    "large_final": lambda w, w0, rng: -np.abs(w),
    "random": lambda w, w0, rng: rng.uniform(size=w.shape),
}
NEEDS_INITIAL = ("magnitude_increase", "magnitude_decrease")


@dataclass(frozen=True)
class WeightLayer:  # numpydoc ignore=PR02
    """A linear or convolutional layer as it was met in a forward pass.

    Parameters
    ----------
    name : str
        Qualified name in the module.
    layer : torch.nn.Linear or torch.nn.Conv2d
        The layer itself.
    in_shape, out_shape : tuple of int
        Shapes of one sample's input and output: (units,) or (channels, height, width).
    n_calls : int
        How often one forward pass calls it.
    """

    name: str
    layer: object
    in_shape: tuple
    out_shape: tuple
    n_calls: int


@dataclass(frozen=True)
class Edges:  # numpydoc ignore=PR02
    """Kept edges of an activation graph, layer after layer.

    Parameters
    ----------
    layer_names : tuple of str
        Layers in the order of the forward pass.
    n_units : tuple of (int, int)
        Input and output units of each layer.
    layers : ndarray of shape (n_edges,)
        Position in `layer_names`, ascending.
    rows, cols : ndarray of shape (n_edges,)
        Output and input unit, numbered within the layer.
    weights : ndarray of shape (n_edges,), dtype float32
        Trained weights, with their sign.
    joined : tuple of bool
        For each layer but the last: whether its output units are the next layer's input units.
    """

    layer_names: tuple
    n_units: tuple
    layers: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
    weights: np.ndarray
    joined: tuple

    @property
    def slices(self):  # numpydoc ignore=RT01
        """Slice of the edges of each layer."""
        bounds = np.searchsorted(self.layers, np.arange(len(self.layer_names) + 1))
        return [slice(a, b) for a, b in pairwise(bounds)]

    def take(self, index):
        """Keep some edges.

        Parameters
        ----------
        index : ndarray of int
            Ascending positions.

        Returns
        -------
        edges : Edges
            Of the same layers.
        """
        parts = (self.layers[index], self.rows[index], self.cols[index], self.weights[index])
        return Edges(self.layer_names, self.n_units, *parts, self.joined)

    def nodes(self, merge):
        """Number the end points of the edges through all layers.

        Parameters
        ----------
        merge : bool
            Whether joined layers share their units.

        Returns
        -------
        heads, tails : ndarray of shape (n_edges,)
            Node of the output and of the input unit.
        n_nodes : int
            Number of nodes.
        """
        offsets, end = [], 0
        for position, (n_in, n_out) in enumerate(self.n_units):
            shared = merge and position > 0 and self.joined[position - 1]
            start = offsets[-1][1] if shared else end
            offsets.append((start, start + n_in))
            end = start + n_in + n_out
        start_in, start_out = np.array(offsets).T
        return self.rows + start_out[self.layers], self.cols + start_in[self.layers], end


@contextmanager
def _hooked(layers, hook):
    """Call `hook(name, layer, input, output)` at each call of the layers, then unhook them."""
    handles = [
        layer.register_forward_hook(
            lambda module, inputs, output, name=name: hook(name, module, inputs[0], output)
        )
        for name, layer in layers
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def weight_layers(module, sample):
    """Find the linear and convolutional layers in the order of the forward pass.

    Parameters
    ----------
    module : torch.nn.Module
        Network in evaluation mode.
    sample : torch.Tensor
        A batch of at least one sample.

    Returns
    -------
    layers : list of WeightLayer
        Each once, at its first call.
    """
    from torch import nn

    found = {}

    def record(name, layer, inputs, output):  # numpydoc ignore=GL08
        calls = found[name].n_calls + 1 if name in found else 1
        shapes = tuple(inputs.shape[1:]), tuple(output.shape[1:])
        found[name] = WeightLayer(name, layer, *shapes, calls)

    candidates = [
        (name, layer)
        for name, layer in module.named_modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d))
    ]
    with _hooked(candidates, record):
        forward(module, sample)
    return list(found.values())


def forward(module, batch):
    """Run a network without gradients.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    batch : torch.Tensor
        Samples.

    Returns
    -------
    output : torch.Tensor
        What the network returns.
    """
    import torch

    with torch.no_grad():
        return module(batch)


def choose_layers(module, found, layers):
    """Choose the layers that carry edges, and refuse those that cannot.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    found : list of WeightLayer
        From :func:`weight_layers`.
    layers : {"inner", "all", "last"} or list of str
        All but the first, all, the last, or qualified names.

    Returns
    -------
    chosen : list of WeightLayer
        In the order of the forward pass.

    Raises
    ------
    ValueError
        If no layer is left or a name is unknown.
    NotImplementedError
        If a layer that would have to carry edges is of a kind that is not supported.
    """
    by_name = {layer.name: layer for layer in found}
    if isinstance(layers, str):
        for name, part in module.named_modules():
            _refuse_unsupported(name, part, by_name)
        chosen = {"inner": found[1:], "all": found, "last": found[-1:]}[layers]
    else:
        known = dict(module.named_modules())
        if unknown := [name for name in layers if name not in known]:
            raise ValueError(
                f"layers names {unknown}, which the module lacks; it has {[*by_name]}."
            )
        for name in layers:
            _refuse_unsupported(name, known[name], by_name)
        chosen = [layer for layer in found if layer.name in layers]
    if not chosen:
        raise ValueError(
            f"layers={layers!r} leaves no layer: the module calls {[*by_name]}. Try layers='all'."
        )
    for layer in chosen:
        _refuse_use(layer)
    return chosen


def _refuse_unsupported(name, part, found):
    """Raise if a part of a network has weights that are no plain linear or convolutional layer."""
    from torch import nn

    matrices = [p for p in part.parameters(recurse=False) if p.dim() > 1]
    lazy = any(nn.parameter.is_lazy(p) for p in part.parameters(recurse=False))
    if not lazy and (not matrices or isinstance(part, nn.LayerNorm)):
        return
    supported = isinstance(part, (nn.Linear, nn.Conv2d)) and name in found and not lazy
    if not supported or getattr(part, "padding_mode", "zeros") != "zeros":
        raise NotImplementedError(
            f"The layer {name!r} ({type(part).__name__}) carries weights that have no activation "
            "graph here: only Linear and zero-padded Conv2d layers that the forward pass calls "
            "do. Name the layers to use in layers=[...]."
        )


def _refuse_use(layer):
    if layer.n_calls > 1:
        raise NotImplementedError(
            f"The layer {layer.name!r} is called {layer.n_calls} times in one forward pass, so its "
            "weights have several inputs. Leave it out of layers=[...]."
        )
    if len(layer.in_shape) not in (1, 3) or (len(layer.in_shape) == 3) != _is_conv(layer):
        raise NotImplementedError(
            f"The layer {layer.name!r} takes samples of shape {layer.in_shape}: a Linear layer "
            "must take vectors and a Conv2d layer images. Leave it out of layers=[...]."
        )


def _is_conv(layer):
    return hasattr(layer.layer, "kernel_size")


def select_entries(final, initial, *, selection, quantile, rng):
    """Entries of a weight tensor whose score is in the lowest quantile.

    Parameters
    ----------
    final : ndarray
        Trained weights.
    initial : ndarray or None
        Weights before training; needed by the scores that compare the two.
    selection : str
        Key of `SELECTIONS`, or "all".
    quantile : float
        Share of the entries to keep, in (0, 1].
    rng : RandomState
        For selection="random".

    Returns
    -------
    entries : ndarray of int
        Flat positions, ascending.

    Raises
    ------
    ValueError
        If the weights equal the initial ones, or ties leave no entry.

    References
    ----------
    Goibert, Ricatte, Dohmatob, An Adversarial Robustness Perspective on the Topology of Neural
    Networks, 2022 (the magnitude increase, with its strict upper bound).
    """
    if selection == "all":
        return np.arange(final.size)
    if selection in NEEDS_INITIAL and np.array_equal(final, initial):
        raise ValueError(
            "initial_state: the weights equal the initial state, so no edge is under-optimised. "
            "Pass the state from before the training."
        )
    scores = SELECTIONS[selection](final, initial, rng).ravel()
    kept = scores < np.quantile(scores, quantile) if quantile < 1 else np.ones(final.size, bool)
    if not kept.any():
        raise ValueError(
            f"quantile={quantile} keeps no edge of a layer with {final.size} weights (too few, or "
            "many equal ones): raise it."
        )
    return np.flatnonzero(kept)


def layer_edges(layer, entries):
    """Edges of some entries of a layer's weight tensor, at all positions where it is applied.

    Exact: the weights times the inputs, summed over the edges into an output unit, give the layer's
    output without its bias. The matrix of a convolution is never formed.

    Parameters
    ----------
    layer : WeightLayer
        Layer.
    entries : ndarray of int
        Flat positions in the weight tensor.

    Returns
    -------
    rows, cols : ndarray of int
        Output and input unit of each edge, in the flattened shapes.
    weights : ndarray of float32
        Weight of each edge.
    """
    tensor = layer.layer.weight.detach().cpu().numpy()
    weights = tensor.ravel()[entries].astype(np.float32)
    if not _is_conv(layer):
        return *np.divmod(entries, tensor.shape[1]), weights
    out_channel, in_channel, a, b = np.unravel_index(entries, tensor.shape)
    in_channel = in_channel + out_channel // (len(tensor) // layer.layer.groups) * tensor.shape[1]
    y_in, y_out, y_valid = _positions(layer, a, axis=0)
    x_in, x_out, x_valid = _positions(layer, b, axis=1)
    entry, y, x = np.nonzero(y_valid[:, :, None] & x_valid[:, None, :])
    (_, height, width), (_, out_height, out_width) = layer.in_shape, layer.out_shape
    rows = (out_channel[entry] * out_height + y_out[y]) * out_width + x_out[x]
    cols = (in_channel[entry] * height + y_in[entry, y]) * width + x_in[entry, x]
    return rows, cols, weights[entry]


def _positions(layer, offset, axis):
    """Input and output coordinates of kernel offsets along one axis, and where they are inside."""
    conv, size = layer.layer, layer.in_shape[1 + axis]
    reach = conv.dilation[axis] * (conv.kernel_size[axis] - 1)
    # Of an odd total, padding="same" puts the smaller half in front.
    named = {"same": reach // 2, "valid": 0}
    padding = named[conv.padding] if isinstance(conv.padding, str) else conv.padding[axis]
    out = np.arange(layer.out_shape[1 + axis])
    coordinate = out * conv.stride[axis] - padding + offset[:, None] * conv.dilation[axis]
    return coordinate, out, (coordinate >= 0) & (coordinate < size)


def activation_graph(module, sample, *, layers, selection, quantile, initial, rng):
    """Edges of a network that a selection keeps.

    Parameters
    ----------
    module : torch.nn.Module
        Trained network in evaluation mode.
    sample : torch.Tensor
        One sample or more, for the shapes.
    layers : {"inner", "all", "last"} or list of str
        Layers that carry edges.
    selection : str
        Key of `SELECTIONS`, or "all".
    quantile : float or dict of str to float
        Share of each layer's weights to keep, or one for each layer's name.
    initial : dict of str to torch.Tensor, or None
        State of the network before its training.
    rng : RandomState
        For selection="random".

    Returns
    -------
    edges : Edges
        Kept edges.

    Raises
    ------
    ValueError
        If a setting fits the network or its initial state badly.
    NotImplementedError
        If a layer is not supported.
    """
    found = weight_layers(module, sample)
    chosen = choose_layers(module, found, layers)
    parts = []
    for layer in chosen:
        final = layer.layer.weight.detach().cpu().numpy()
        before = _initial_weight(layer.name, final, initial, selection)
        share = _layer_quantile(layer.name, quantile)
        kept = select_entries(final, before, selection=selection, quantile=share, rng=rng)
        parts.append(layer_edges(layer, kept))
    names = [layer.name for layer in found]
    order = [names.index(layer.name) for layer in chosen]
    rows, cols, weights = (np.concatenate(columns) for columns in zip(*parts))
    return Edges(
        tuple(layer.name for layer in chosen),
        tuple((int(np.prod(one.in_shape)), int(np.prod(one.out_shape))) for one in chosen),
        np.repeat(np.arange(len(chosen)), [len(part[0]) for part in parts]),
        rows,
        cols,
        weights,
        tuple(
            second == first + 1 and np.prod(one.out_shape) == np.prod(two.in_shape)
            for (first, second), (one, two) in zip(pairwise(order), pairwise(chosen))
        ),
    )


def _initial_weight(name, final, initial, selection):
    if selection not in NEEDS_INITIAL:
        return None
    if f"{name}.weight" not in initial:
        raise ValueError(f"initial_state has no {name}.weight: pass the module's own state_dict().")
    before = initial[f"{name}.weight"].detach().cpu().numpy()
    if before.shape != final.shape:
        raise ValueError(
            f"initial_state: {name}.weight has shape {before.shape}, the module's {final.shape}."
        )
    return before


def _layer_quantile(name, quantile):
    if not isinstance(quantile, dict):
        return quantile
    if name not in quantile or not 0 < quantile[name] <= 1:
        raise ValueError(f"quantile must give a number in (0, 1] for the layer {name!r}.")
    return quantile[name]


def edge_flows(module, batch, edges):
    """Weight |w a| of each kept edge for each sample: one gather and one product a layer.

    Parameters
    ----------
    module : torch.nn.Module
        Network in evaluation mode.
    batch : torch.Tensor
        Samples.
    edges : Edges
        Kept edges of the network.

    Returns
    -------
    flows : ndarray of shape (n_samples, n_edges), dtype float32
        Weight of the trained edge times the activation that enters it, absolute.
    output : torch.Tensor
        What the network returned.
    """
    import torch

    flows = torch.empty((len(batch), len(edges.weights)), dtype=torch.float32)
    columns = dict(zip(edges.layer_names, edges.slices))

    def collect(name, layer, inputs, _):  # numpydoc ignore=GL08
        part = columns[name]
        strength = inputs.flatten(1).abs().cpu().float()
        gathered = strength.index_select(1, torch.from_numpy(edges.cols[part]))
        torch.mul(gathered, torch.from_numpy(np.abs(edges.weights[part])), out=flows[:, part])

    with _hooked(_named_layers(module, edges), collect):
        output = forward(module, batch)
    return flows.numpy(), output


def total_flows(module, batch, edges):
    """Sum of |w a| over all edges of the layers of a graph, kept or not.

    Parameters
    ----------
    module : torch.nn.Module
        Network in evaluation mode.
    batch : torch.Tensor
        Samples.
    edges : Edges
        Kept edges, which name the layers.

    Returns
    -------
    total : ndarray of shape (n_samples,)
        Sum over layers and edges.
    """
    import torch
    from torch.nn.functional import conv2d, linear

    total = torch.zeros(len(batch), dtype=torch.float64)

    def collect(_, layer, inputs, __):  # numpydoc ignore=GL08
        strength, weight = inputs.abs(), layer.weight.detach().abs()
        if weight.dim() == 2:
            through = linear(strength, weight)
        else:
            geometry = (layer.stride, layer.padding, layer.dilation, layer.groups)
            through = conv2d(strength, weight, None, *geometry)
        total.add_(through.double().flatten(1).sum(dim=1).cpu())

    with _hooked(_named_layers(module, edges), collect):
        forward(module, batch)
    return total.numpy()


def _named_layers(module, edges):
    modules = dict(module.named_modules())
    return [(name, modules[name]) for name in edges.layer_names]


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
    flows = np.sort(flows.astype(float), axis=1)
    n_edges, mass = flows.shape[1], flows.sum(axis=1)
    shares = flows / np.where(mass > 0, mass, 1)[:, None]
    # Of sorted shares: sum over i of (2 i - n - 1) p_i / n.
    gini = shares @ (2 * np.arange(1, n_edges + 1) - n_edges - 1) / n_edges
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=1)
    strongest = shares[:, -max(1, n_edges // 100) :].sum(axis=1)
    kept = mass / np.where(total > 0, total, 1)
    columns = (gini, entropy / max(np.log(n_edges), 1e-300), strongest, mass, kept, flows[:, -1])
    return np.column_stack(columns)
