"""Layers of a network that can carry edges, as a forward pass meets them."""

from contextlib import contextmanager
from dataclasses import dataclass


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

    @property
    def is_convolution(self):  # numpydoc ignore=RT01
        """Whether the weights are applied at many positions."""
        return hasattr(self.layer, "kernel_size")


def float_array(tensor):
    """Tensor as an array.

    Parameters
    ----------
    tensor : torch.Tensor
        Of any floating type (numpy lacks one of the halves), on any device.

    Returns
    -------
    array : ndarray of float64
        The same values.
    """
    return tensor.detach().cpu().double().numpy()


@contextmanager
def hooked(layers, hook):
    """Call a function at each call of the layers, then unhook them, whatever happened.

    Parameters
    ----------
    layers : list of (str, torch.nn.Module)
        Layers and their names.
    hook : callable
        Called as ``hook(name, layer, input, output)``.

    Yields
    ------
    None
        While the hooks are on.
    """

    def named(name):  # numpydoc ignore=GL08
        def on_call(layer, inputs, keywords, output):  # numpydoc ignore=GL08
            hook(name, layer, inputs[0] if inputs else keywords["input"], output)

        return on_call

    handles = [layer.register_forward_hook(named(name), with_kwargs=True) for name, layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


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

    Raises
    ------
    ValueError
        If the forward pass fails.
    NotImplementedError
        If a layer has no weights before its first call.
    """
    from torch import nn

    found = {}
    candidates = []
    for name, layer in module.named_modules():
        # Refused rather than skipped: a graph without its edges would look complete.
        if any(nn.parameter.is_lazy(p) for p in layer.parameters(recurse=False)):
            raise NotImplementedError(
                f"The layer {name!r} ({type(layer).__name__}) has no weights before its first "
                "call: run the module once, before its training."
            )
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            candidates.append((name, layer))

    def record(name, layer, inputs, output):  # numpydoc ignore=GL08
        calls = found[name].n_calls + 1 if name in found else 1
        # Rows that are not the samples leave their number in the shape, which is then refused.
        own = 1 if len(inputs) == len(sample) else 0
        shapes = tuple(inputs.shape[own:]), tuple(output.shape[own:])
        found[name] = WeightLayer(name, layer, *shapes, calls)

    with hooked(candidates, record):
        try:
            forward(module, sample)
        except (RuntimeError, ValueError, IndexError) as error:
            raise ValueError(
                f"The module cannot take samples of shape {tuple(sample.shape[1:])}: pass X as the "
                f"module takes it, or set input_shape. It says: {error}"
            ) from error
    return list(found.values())


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

    # Layers of quantised weights have no parameters but a method that unpacks them.
    matrices = any(p.dim() > 1 for p in part.parameters(recurse=False))
    weighted = matrices or callable(getattr(part, "weight", None))
    if not weighted or isinstance(part, nn.LayerNorm):
        return
    supported = isinstance(part, (nn.Linear, nn.Conv2d)) and name in found
    if not supported or getattr(part, "padding_mode", "zeros") != "zeros":
        # Left out in silence, its edges would be missing from a graph that looks complete.
        raise NotImplementedError(
            f"The layer {name!r} ({type(part).__name__}) carries weights that have no activation "
            "graph here: only Linear and zero-padded Conv2d layers that the forward pass calls "
            "do. Name the layers to use in layers=[...]."
        )


def _refuse_use(layer):
    # An edge has one input: in neither use below is it a weight times one activation.
    if layer.n_calls > 1:
        raise NotImplementedError(
            f"The layer {layer.name!r} is called {layer.n_calls} times in one forward pass, so its "
            "weights have several inputs. Leave it out of layers=[...]."
        )
    if len(layer.in_shape) != (3 if layer.is_convolution else 1):
        raise NotImplementedError(
            f"The layer {layer.name!r} takes samples of shape {layer.in_shape}: a Linear layer "
            "must take vectors and a Conv2d layer images. Leave it out of layers=[...]."
        )
