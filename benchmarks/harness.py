"""What the benchmarks share: versions, times, tables, and the files of results."""

import argparse
import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def versions(*peers):
    """Versions of Python, of the packages and of the peers' distributions; number of cores."""
    found = {"python": platform.python_version(), "cores": os.cpu_count()}
    for name in ("numpy", "scipy", "scikit-learn", "skparietal", *peers):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def seconds(function, *args, **options):
    """Wall time and result of one call."""
    start = time.perf_counter()
    result = function(*args, **options)
    return time.perf_counter() - start, result


def show(title, header, rows):
    """Print a table; return its rows as dictionaries."""
    print(f"\n{title}\n" + " | ".join(header), flush=True)
    for row in rows:
        cells = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
        print(" | ".join(cells), flush=True)
    return [dict(zip(header, row)) for row in rows]


def keep(name, report, *, full, peers=()):
    """Run report(full=...), which prints its tables, and write results/<name>.json."""
    found = versions(*peers)
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in found.items()), flush=True)
    results = {"versions": found, **report(full=full)}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1, default=float)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def full_is_asked(description):
    """Parse the command line: --full for more seeds, larger sizes and slower peers."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="more seeds, sizes and peers")
    return parser.parse_args().full
