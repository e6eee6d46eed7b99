"""Edges of an activation graph, with no convolution unrolled to a matrix."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skparietal.graphs.layers import choose_layers, float_array, weight_layers
from skparietal.graphs.selection import NEEDS_INITIAL, select_entries


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
    strengths : tuple of ndarray of shape (n_input_units,)
        For each layer, the sum of |weight| over all edges that leave each input unit, kept or not.
    """

    layer_names: tuple
    n_units: tuple
    layers: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
    weights: np.ndarray
    joined: tuple
    strengths: tuple

    @property
    def slices(self):  # numpydoc ignore=RT01
        """Slice of the edges of each layer."""
        bounds = np.searchsorted(self.layers, np.arange(len(self.layer_names) + 1))
        return [slice(a, b) for a, b in pairwise(bounds)]

    @property
    def sources(self):  # numpydoc ignore=RT01
        """Input unit of each edge, numbered through the input units of all layers."""
        offsets = np.cumsum([0] + [n_in for n_in, _ in self.n_units[:-1]])
        return self.cols + offsets[self.layers]

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
        return Edges(self.layer_names, self.n_units, *parts, self.joined, self.strengths)

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
    tensor = float_array(layer.layer.weight)
    weights = tensor.ravel()[entries].astype(np.float32)
    if not layer.is_convolution:
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


def out_strengths(layer):
    """Sum of the absolute weights of the edges that leave each input unit of a layer.

    Parameters
    ----------
    layer : WeightLayer
        Layer.

    Returns
    -------
    strengths : ndarray of shape (n_input_units,)
        In the flattened shape of the input.
    """
    import torch
    from torch.nn.functional import conv2d, linear

    part, weight = layer.layer, layer.layer.weight.detach().abs().double()
    units = weight.new_zeros((1, *layer.in_shape)).requires_grad_()
    # The derivative of a linear map's sum is the sum of its weights.
    if layer.is_convolution:
        geometry = (part.stride, part.padding, part.dilation, part.groups)
        through = conv2d(units, weight, None, *geometry)
    else:
        through = linear(units, weight)
    return float_array(torch.autograd.grad(through.sum(), units)[0]).ravel()


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
        final = float_array(layer.layer.weight)
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
        tuple(out_strengths(layer) for layer in chosen),
    )


def _initial_weight(name, final, initial, selection):
    if selection not in NEEDS_INITIAL:
        return None
    if f"{name}.weight" not in initial:
        raise ValueError(f"initial_state has no {name}.weight: pass the module's own state_dict().")
    before = float_array(initial[f"{name}.weight"])
    if before.shape != final.shape:
        raise ValueError(
            f"initial_state: {name}.weight has shape {before.shape}, the module's {final.shape}."
        )
    if np.array_equal(before, final):
        raise ValueError(
            f"initial_state: the weights equal the initial state in the layer {name!r}, so none is "
            "under-optimised. Pass the state from before the training, or leave out a layer that "
            "was not trained."
        )
    return before


def _layer_quantile(name, quantile):
    if not isinstance(quantile, dict):
        return quantile
    if name not in quantile or not 0 < quantile[name] <= 1:
        raise ValueError(f"quantile must give a number in (0, 1] for the layer {name!r}.")
    return quantile[name]
