"""Memories trained by stochastic gradients on the cross-entropy of their scores (torch)."""

from dataclasses import dataclass

import numpy as np

from skparietal._torch import check_device, import_torch


@dataclass(frozen=True)
class TrainedMemory:  # numpydoc ignore=PR02
    """Result of `train_memory`.

    Parameters
    ----------
    matrix : ndarray of shape (n_components, n_components)
        Memory W.
    key_embeddings : ndarray of shape (n_keys, n_components)
        As given, or learned.
    label_embeddings : ndarray of shape (n_classes, n_components)
        As given, or learned.
    loss : float
        Mean cross-entropy (natural log) of the last tenth of the steps.
    """

    matrix: np.ndarray
    key_embeddings: np.ndarray
    label_embeddings: np.ndarray
    loss: float


def train_memory(
    start,
    key_embeddings,
    label_embeddings,
    pairs,
    *,
    optimizer="sgd",
    learning_rate=10.0,
    batch_size=64,
    n_steps=1000,
    layer_norm=False,
    learn_embeddings=False,
    device="cpu",
    random_state,
):
    """Minimise the cross-entropy of the label given softmax(u_y' W e_x) over sampled pairs.

    Parameters
    ----------
    start : ndarray of shape (n_components, n_components)
        Initial memory W.
    key_embeddings : ndarray of shape (n_keys, n_components)
        Embeddings e_x.
    label_embeddings : ndarray of shape (n_classes, n_components)
        Embeddings u_y.
    pairs : tuple of ndarrays (keys, labels, probabilities), each of shape (n_pairs,)
        Index of the key, index of the label and probability of every (key, label) pair; batches
        are drawn from it with replacement.
    optimizer : {"sgd", "adam"}, default="sgd"
        Adam has betas (0, 0): a step of equal size for every entry, by the sign of its gradient.
    learning_rate : float, default=10.0
        Step on the mean loss of a batch; divided by n_components for "adam".
    batch_size : int, default=64
        Pairs in a batch.
    n_steps : int, default=1000
        Number of batches.
    layer_norm : bool, default=False
        Whether W e is divided by sqrt(|W e|^2 + 1e-6) before it meets the labels.
    learn_embeddings : bool, default=False
        Whether the embeddings are trained as well.
    device : str, default="cpu"
        Where torch computes.
    random_state : numpy.random.Generator
        Draws the batches.

    Returns
    -------
    trained : TrainedMemory
        In float32.

    References
    ----------
    Cabannes, Dohmatob, Bietti, Scaling laws for associative memories, 2024: the model, and the
    optimisers and layer norm of its experiments.
    """
    torch = import_torch()
    device = check_device(device)
    E, U, W = (
        torch.tensor(np.asarray(array, dtype=np.float32), device=device)
        for array in (key_embeddings, label_embeddings, start)
    )
    trained = [E, U, W] if learn_embeddings else [W]
    for parameter in trained:
        parameter.requires_grad_(True)
    step = _optimizer(torch, trained, optimizer, learning_rate, len(start))
    keys, labels, probabilities = pairs
    losses = []
    # Adding up once and searching is the fastest way to draw from a fixed discrete law.
    cumulative = np.cumsum(probabilities)
    for _ in range(n_steps):
        points = random_state.uniform(high=cumulative[-1], size=batch_size)
        drawn = np.minimum(np.searchsorted(cumulative, points), len(keys) - 1)
        output = E[torch.from_numpy(keys[drawn]).to(device)] @ W.T
        if layer_norm:
            output = output / torch.sqrt(output.square().sum(1, keepdim=True) + 1e-6)
        target = torch.from_numpy(labels[drawn]).to(device)
        loss = torch.nn.functional.cross_entropy(output @ U.T, target)
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.detach())
    last = torch.stack(losses[-max(n_steps // 10, 1) :]).mean().item()
    return TrainedMemory(*(array.detach().cpu().numpy() for array in (W, E, U)), last)


def _optimizer(torch, parameters, name, learning_rate, n_components):
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=learning_rate)
    return torch.optim.Adam(parameters, lr=learning_rate / n_components, betas=(0.0, 0.0))
