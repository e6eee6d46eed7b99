"""torch where it is needed: absent packages and devices are named."""

import sys

import pytest

from skparietal._torch import check_device, import_torch


def test_an_absent_device_is_named():
    pytest.importorskip("torch", reason="devices are those of torch")
    with pytest.raises(ValueError, match="device='nonsense' is not available"):
        check_device("nonsense")


def test_absent_torch_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"skparietal\[torch\]"):
        import_torch()
