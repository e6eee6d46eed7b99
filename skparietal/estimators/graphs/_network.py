"""The network behind an activation graph: the user's, copied, or one trained on the table."""

import copy

import numpy as np
from sklearn.preprocessing import StandardScaler

from skparietal._torch import check_device

# Columns beyond this many standard deviations say no more than that they are far out.
CLIP = 50.0


class UserNetwork:
    """Private copy of a user's module in evaluation mode, and the shape of its input.

    Parameters
    ----------
    module : torch.nn.Module
        Left as it is.
    initial_state : torch.nn.Module, dict of str to torch.Tensor, or None
        State before training.
    input_shape : tuple of int or None
        Shape of one sample; None means as given.
    device : str or torch.device
        Where to run.
    sample_shape : tuple of int
        Shape of the samples of X.

    Raises
    ------
    TypeError
        If `initial_state` is no state of a module.
    ValueError
        If there is no such device.
    """

    def __init__(self, module, initial_state, input_shape, device, sample_shape):
        self.device = check_device(device)
        self.module = copy.deepcopy(module).eval().to(self.device)
        self.initial = _state(initial_state)
        self.input_shape = input_shape
        self.sample_shape = sample_shape

    def tensor(self, X):
        """Rows as the module takes them.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
            Rows.

        Returns
        -------
        batch : torch.Tensor
            In the floating type of the module.
        """
        import torch

        if X.shape[1:] != self.sample_shape:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}, but those of the fit have the shape "
                f"{self.sample_shape}."
            )
        if self.input_shape is not None:
            if np.prod(self.input_shape) != np.prod(X.shape[1:]):
                raise ValueError(
                    f"input_shape={self.input_shape} does not hold the {X.shape[1:]} values of a "
                    "sample of X."
                )
            X = X.reshape(-1, *self.input_shape)
        parameter = next(self.module.parameters(), torch.empty(0))
        # A copy: a module may write into its input.
        return torch.tensor(X, dtype=parameter.dtype, device=self.device)


def _state(initial_state):
    """Copy of the state before training, from a module or its `state_dict`."""
    if initial_state is None:
        return None
    state = initial_state
    if hasattr(state, "state_dict"):
        state = state.state_dict()
    if not hasattr(state, "items"):
        raise TypeError(
            "initial_state must be a module or its state_dict(), saved before the training; got "
            f"{type(initial_state)}."
        )
    return {
        name: value.detach().clone() for name, value in state.items() if hasattr(value, "detach")
    }


class TrainedNetwork:
    """Autoencoder of a plain table: standardised columns -> 16 -> 8 -> columns.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows.
    seed : int
        Of the initial weights.
    n_steps : int, default=100
        Full-batch steps of Adam.
    """

    def __init__(self, X, seed, n_steps=100):
        import torch
        from torch import nn

        self.scaler = StandardScaler().set_output(transform="default").fit(X.astype(float))
        self.device = "cpu"
        n_features = X.shape[1]
        # Double precision: a row's edges then do not depend on the rows around it.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = nn.Sequential(
                *(nn.Linear(n_features, 16), nn.Tanh(), nn.Linear(16, 8), nn.Tanh()),
                nn.Linear(8, n_features),
            ).double()
        self.initial = copy.deepcopy(self.module.state_dict())
        batch, optimizer = self.tensor(X), torch.optim.Adam(self.module.parameters(), lr=1e-2)
        for _ in range(n_steps):
            optimizer.zero_grad()
            nn.functional.mse_loss(self.module(batch), batch).backward()
            optimizer.step()
        self.module.eval()

    def tensor(self, X):
        """Rows, standardised.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        batch : torch.Tensor
            In double precision.
        """
        import torch

        return torch.from_numpy(np.clip(self.scaler.transform(X.astype(float)), -CLIP, CLIP))
