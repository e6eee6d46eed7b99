"""Settings of every test session: one BLAS thread, no window."""

import os

# Before numpy is imported: two busy cores make threaded BLAS ten times slower on small matrices.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "agg")
