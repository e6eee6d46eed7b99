"""The docs keep up with the code: every public name has a page, every estimator an example."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import skparietal

ROOT = Path(__file__).parent.parent
ROOMS = ["datasets", "metrics", "objectives", "plotting", "simulation", "theory"]
PUBLIC = [("skparietal", name) for name in skparietal.__all__ if name != "__version__"] + [
    (f"skparietal.{room}", name)
    for room in ROOMS
    for name in getattr(import_module(f"skparietal.{room}"), "__all__", [])
]


def documented_names():
    """Names listed in the autosummary blocks of docs/api."""
    text = "\n".join(path.read_text() for path in (ROOT / "docs" / "api").glob("*.rst"))
    return set(re.findall(r"^   (?:\w+\.)*(\w+)$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("module, name", PUBLIC)
def test_every_public_name_has_an_api_page(module, name):
    if inspect.ismodule(getattr(import_module(module), name)):
        return
    assert name in documented_names(), f"list {module}.{name} in a file of docs/api"


@pytest.mark.parametrize("module, name", PUBLIC)
def test_every_public_class_shows_an_example(module, name):
    value = getattr(import_module(module), name)
    if inspect.isclass(value):
        assert "\n    Examples\n    --------\n" in value.__doc__, name


@pytest.mark.parametrize("name", skparietal.__all__)
def test_every_estimator_documents_each_parameter_and_its_source(name):
    value = getattr(skparietal, name)
    if not (inspect.isclass(value) and issubclass(value, BaseEstimator)):
        return
    for parameter in inspect.signature(value).parameters:
        assert re.search(rf"^    .*\b{parameter}\b.* : ", value.__doc__, re.MULTILINE), parameter
    assert "\n    References\n    ----------\n" in value.__doc__


@pytest.mark.parametrize("name", skparietal.__all__)
def test_every_estimator_is_in_the_table_of_questions(name):
    if inspect.isclass(getattr(skparietal, name)):
        assert f"{name}" in (ROOT / "docs" / "questions.rst").read_text()


@pytest.mark.parametrize(
    "command",
    [
        'pip install ".[examples]" && python examples/plot_quickstart.py',
        'pip install ".[test]" && pytest',
    ],
)
def test_readme_and_install_page_name_the_same_two_commands(command):
    for page in ("README.md", "docs/install.rst"):
        assert command in (ROOT / page).read_text()
