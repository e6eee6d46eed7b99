"""Write docs/inventories/*.inv, the names that the docs link to, from the installed packages.

Run after an upgrade: ``python docs/make_inventories.py``. The docs then build without a network.
"""

import inspect
import zlib
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent / "inventories"
PACKAGES = {
    "sklearn": (
        "modules/generated/$.html#$",
        [
            *("base", "datasets", "dummy", "ensemble", "exceptions", "feature_extraction.text"),
            *("kernel_ridge", "linear_model", "metrics", "metrics.pairwise", "model_selection"),
            *("pipeline", "preprocessing", "random_projection", "semi_supervised", "svm", "utils"),
        ],
    ),
    "numpy": ("reference/generated/$.html#$", ["random"]),
    "scipy": ("reference/generated/$.html#$", ["linalg", "optimize", "sparse", "special", "stats"]),
}


# Labels that the docstrings of scikit-learn's own mixins refer to.
LABELS = {
    "sklearn": {
        "accuracy_score": "modules/model_evaluation.html#accuracy-score",
        "r2_score": "modules/model_evaluation.html#r2-score-the-coefficient-of-determination",
    }
}


def entries(package, modules, location):
    """Inventory lines of the public classes and functions of some modules."""
    for module in modules:
        full = f"{package}.{module}"
        imported = import_module(full)
        names = getattr(imported, "__all__", [name for name in dir(imported) if name[0] != "_"])
        for name in sorted(names):
            value = vars(imported).get(name)
            if inspect.isclass(value) or callable(value):
                role = "py:class" if inspect.isclass(value) else "py:function"
                yield f"{full}.{name} {role} 1 {location} -"


def main():
    FOLDER.mkdir(exist_ok=True)
    for package, (location, modules) in PACKAGES.items():
        header = (
            "# Sphinx inventory version 2\n"
            f"# Project: {package}\n# Version: \n"
            "# The remainder of this file is compressed using zlib.\n"
        )
        lines = [*entries(package, modules, location)]
        lines += [
            f"{label} std:label -1 {page} {label}"
            for label, page in LABELS.get(package, {}).items()
        ]
        body = "".join(line + "\n" for line in lines)
        (FOLDER / f"{package}.inv").write_bytes(header.encode() + zlib.compress(body.encode(), 9))


if __name__ == "__main__":
    main()
