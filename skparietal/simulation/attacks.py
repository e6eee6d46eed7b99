"""Attacks on networks, for experiments with detectors: the fast gradient sign, PGD and DeepFool."""

import numpy as np


def gradient_sign_attack(module, X, y, *, radius, n_steps=1, bounds=(0.0, 1.0)):
    """Move inputs by signed gradients of the loss, within a maximum-norm ball.

    One step is the fast gradient sign method; more are projected gradient descent from the input
    itself, with steps of 2 radius / n_steps.

    Parameters
    ----------
    module : torch.nn.Module
        Classifier that returns logits, in evaluation mode.
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

    References
    ----------
    Goodfellow, Shlens, Szegedy, Explaining and Harnessing Adversarial Examples, 2015. Madry et al.,
    Towards Deep Learning Models Resistant to Adversarial Attacks, 2018.
    """
    import torch
    from torch.nn.functional import cross_entropy

    step = radius if n_steps == 1 else 2 * radius / n_steps
    attacked = X.clone()
    for _ in range(n_steps):
        attacked.requires_grad_(True)
        (gradient,) = torch.autograd.grad(cross_entropy(module(attacked), y), attacked)
        moved = attacked.detach() + step * gradient.sign()
        attacked = torch.minimum(torch.maximum(moved, X - radius), X + radius).clamp(*bounds)
    return attacked


def deepfool_attack(module, X, *, n_steps=30, overshoot=0.02, bounds=(0.0, 1.0)):
    """Move inputs just over the nearest decision boundary of the linearised network.

    Parameters
    ----------
    module : torch.nn.Module
        Classifier that returns logits, in evaluation mode.
    X : torch.Tensor of shape (n_samples, ...)
        Inputs.
    n_steps : int, default=30
        Largest number of steps.
    overshoot : float, default=0.02
        Share by which the total change is lengthened.
    bounds : (float, float), default=(0.0, 1.0)
        Smallest and largest legal value.

    Returns
    -------
    X_adversarial : torch.Tensor of the shape of X
        Attacked inputs, of small Euclidean change.

    References
    ----------
    Moosavi-Dezfooli, Fawzi, Frossard, DeepFool: a Simple and Accurate Method to Fool Deep Neural
    Networks, 2016.
    """
    import torch

    with torch.no_grad():
        start = module(X).argmax(dim=1)
    change, rows = torch.zeros_like(X), torch.arange(len(X))
    for _ in range(n_steps):
        attacked = (X + (1 + overshoot) * change).clamp(*bounds).requires_grad_(True)
        logits = module(attacked)
        active = logits.argmax(dim=1) == start
        if not active.any():
            break
        # One backward pass a class: every row's gradient of its logit of that class.
        gradients = torch.stack(
            [
                torch.autograd.grad(column.sum(), attacked, retain_graph=True)[0].flatten(1)
                for column in logits.T
            ],
            dim=1,
        )
        normals = gradients - gradients[rows, start][:, None]
        margins = (logits - logits[rows, start][:, None]).detach().abs()
        lengths = normals.norm(dim=2)
        distances = margins / lengths.clamp_min(1e-12)
        distances[rows, start] = np.inf
        nearest = distances.argmin(dim=1)
        normal, length = normals[rows, nearest], lengths[rows, nearest].clamp_min(1e-12)
        step = (margins[rows, nearest] + 1e-4) / length**2
        change = change + (active * step).reshape(-1, *[1] * (X.dim() - 1)) * normal.view_as(X)
    return (X + (1 + overshoot) * change).clamp(*bounds).detach()
