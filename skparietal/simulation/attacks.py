"""Attacks on networks, for experiments with detectors: the fast gradient sign, PGD and DeepFool."""

from contextlib import contextmanager

import numpy as np

from skparietal._torch import import_torch


@contextmanager
def _under_attack(module):
    """Evaluate a module with gradients, whatever the caller's mode, and leave it as it was."""
    torch = import_torch()
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.enable_grad():
            yield torch
    finally:
        for part, training in modes:
            part.training = training


def _check_attack(torch, X, *, n_steps, radius=0.0):
    if not isinstance(X, torch.Tensor) or not X.is_floating_point():
        raise TypeError(
            "X must be a torch.Tensor of floating type, as the module takes it, got "
            f"{getattr(X, 'dtype', type(X))}: use torch.as_tensor(X, dtype=torch.float32)."
        )
    if not radius >= 0:
        raise ValueError(f"radius must be at least 0, got {radius}.")
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}.")


def _logits(module, X):
    logits = module(X)
    if logits.dim() != 2 or logits.shape[1] < 2:
        raise ValueError(
            "module must return logits of shape (n_samples, n_classes) of at least two classes, "
            f"got shape {tuple(logits.shape)}."
        )
    return logits


def gradient_sign_attack(module, X, y, *, radius, n_steps=1, bounds=(0.0, 1.0)):
    """Move inputs by signed gradients of the loss, within a maximum-norm ball.

    One step is the fast gradient sign method; more are projected gradient descent from the input
    itself, with steps of 2 radius / n_steps.

    Parameters
    ----------
    module : torch.nn.Module
        Classifier that returns logits; it is attacked in evaluation mode, and left as it is.
    X : torch.Tensor of shape (n_samples, ...)
        Inputs.
    y : torch.Tensor of shape (n_samples,)
        True classes.
    radius : float
        Largest change of a value, >= 0.
    n_steps : int, default=1
        Number of steps.
    bounds : (float, float), default=(0.0, 1.0)
        Smallest and largest legal value.

    Returns
    -------
    X_adversarial : torch.Tensor of the shape of X
        Attacked inputs.

    Raises
    ------
    TypeError
        If X is no floating tensor.
    ValueError
        If the module returns no logits of two classes or more, or a setting is out of range.

    References
    ----------
    Goodfellow, Shlens, Szegedy, Explaining and Harnessing Adversarial Examples, 2015. Madry et al.,
    Towards Deep Learning Models Resistant to Adversarial Attacks, 2018.

    Examples
    --------
    >>> import torch
    >>> from skparietal.simulation import gradient_sign_attack
    >>> net = torch.nn.Linear(2, 2)
    >>> _ = net.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
    >>> gradient_sign_attack(net, torch.tensor([[0.6, 0.4]]), torch.tensor([0]), radius=0.25)
    tensor([[0.3500, 0.6500]])
    """
    with _under_attack(module) as torch:
        _check_attack(torch, X, n_steps=n_steps, radius=radius)
        X = X.detach()
        attacked, step = X, radius if n_steps == 1 else 2 * radius / n_steps
        for _ in range(n_steps):
            attacked = attacked.clone().requires_grad_()
            # The sum: a sample's gradient does not depend on the others.
            loss = torch.nn.functional.cross_entropy(_logits(module, attacked), y, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, attacked)
            change = attacked.detach() + step * gradient.sign() - X
            attacked = (X + change.clamp(-radius, radius)).clamp(*bounds)
    return attacked


def deepfool_attack(module, X, *, n_steps=50, overshoot=0.02, bounds=(0.0, 1.0)):
    """Move inputs just over the nearest decision boundary of the linearised network.

    Parameters
    ----------
    module : torch.nn.Module
        Classifier that returns logits; it is attacked in evaluation mode, and left as it is.
    X : torch.Tensor of shape (n_samples, ...)
        Inputs.
    n_steps : int, default=50
        Largest number of steps.
    overshoot : float, default=0.02
        Share by which the total change is lengthened.
    bounds : (float, float), default=(0.0, 1.0)
        Smallest and largest legal value.

    Returns
    -------
    X_adversarial : torch.Tensor of the shape of X
        Attacked inputs, of small Euclidean change.

    Raises
    ------
    TypeError
        If X is no floating tensor.
    ValueError
        If the module returns no logits of two classes or more, or a setting is out of range.

    References
    ----------
    Moosavi-Dezfooli, Fawzi, Frossard, DeepFool: a Simple and Accurate Method to Fool Deep Neural
    Networks, 2016.

    Examples
    --------
    >>> import torch
    >>> from skparietal.simulation import deepfool_attack
    >>> net = torch.nn.Linear(2, 2)
    >>> _ = net.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
    >>> moved = deepfool_attack(net, torch.tensor([[0.6, 0.4]]))
    >>> net(moved).argmax(dim=1)
    tensor([1])
    """
    with _under_attack(module) as torch:
        _check_attack(torch, X, n_steps=n_steps)
        X = X.detach()
        change, attacked = torch.zeros_like(X), X.clone()
        start = _logits(module, X).argmax(dim=1)
        active = torch.arange(len(X), device=X.device)
        for _ in range(n_steps):
            inputs = attacked[active].requires_grad_()
            logits = _logits(module, inputs)
            still = logits.argmax(dim=1) == start[active]
            if not still.any():
                break
            step = _step_to_boundary(torch, logits, inputs, start[active])
            active = active[still]
            change[active] += step[still]
            attacked[active] = (X[active] + (1 + overshoot) * change[active]).clamp(*bounds)
    return attacked


def _step_to_boundary(torch, logits, inputs, start):
    """Shortest step to the nearest linearised boundary of each sample's class, and a bit more."""
    rows = torch.arange(len(inputs), device=inputs.device)
    # One backward pass a class: every row's gradient of its logit of that class.
    gradients = torch.stack(
        [
            torch.autograd.grad(column.sum(), inputs, retain_graph=True)[0].flatten(1)
            for column in logits.T
        ],
        dim=1,
    )
    normals = gradients - gradients[rows, start][:, None]
    margins = (logits - logits[rows, start][:, None]).detach().abs()
    lengths = normals.norm(dim=2).clamp_min(1e-12)
    distances = margins / lengths
    distances[rows, start] = np.inf
    nearest = distances.argmin(dim=1)
    # The constant is the authors': rounding may leave a shorter step on this side.
    lengths = (distances[rows, nearest] + 1e-4) / lengths[rows, nearest]
    return (lengths[:, None] * normals[rows, nearest]).view_as(inputs)
