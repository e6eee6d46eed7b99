"""Sphinx settings of the documentation."""

import os
from importlib.metadata import version as installed_version

# Two busy cores make threaded BLAS ten times slower on the small matrices of the gallery.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

project = "skparietal"
author = "The skparietal developers"
copyright = "2026, the skparietal developers"
release = version = installed_version("skparietal")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "api/generated/backreferences", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
autosummary_generate = True
numpydoc_show_class_members = False
default_role = "literal"

# The inventories are made by docs/make_inventories.py from the installed packages, so that the docs
# build without a network.
intersphinx_mapping = {
    "sklearn": ("https://scikit-learn.org/stable/", "inventories/sklearn.inv"),
    "numpy": ("https://numpy.org/doc/stable/", "inventories/numpy.inv"),
    "scipy": ("https://docs.scipy.org/doc/scipy/", "inventories/scipy.inv"),
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[\\/]plot_",
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skparietal",),
    "reference_url": {"skparietal": None},
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 5,
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
    "parallel": 2,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skparietal {release}"
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
html_show_sourcelink = False
