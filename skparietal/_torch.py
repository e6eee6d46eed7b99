"""PyTorch, imported where it is needed, and its devices."""


def import_torch():
    """Import torch, or say how to install it.

    Returns
    -------
    torch : module
        The package.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError("This needs torch: pip install 'skparietal[torch]'.") from error
    return torch


def check_device(device):
    """Device by its torch name.

    Parameters
    ----------
    device : str or torch.device
        Such as "cpu" or "cuda".

    Returns
    -------
    device : torch.device
        One that tensors can be moved to.

    Raises
    ------
    ImportError
        If torch is not installed.
    ValueError
        If there is no such device here.
    """
    torch = import_torch()
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device={device!r} is not available here: {error}") from error
