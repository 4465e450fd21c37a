"""What worker processes on this machine are started with; nothing here imports anything."""

from __future__ import annotations

WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # glibc gives memory back to the system when this much is free at the top of a heap, and at once what is larger.
    # With Dask's own 64 KiB every array is new memory, which the system has to clear.
    "MALLOC_TRIM_THRESHOLD_": "16777216",
    "MALLOC_MMAP_THRESHOLD_": "4194304",
    # what Arrow would use keeps several times the memory of what is read
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",
}
"""What workers are started with; what it is worth is measured by ``benchmarks/worker_environment.py``."""
IMPORTED_EARLY = ["distributed", "scoreline.scoring", "sklearn.compose", "sklearn.pipeline"]
"""What tasks will need: workers import it while the driver still makes its plan. They do so before they run anything:
two threads of a process that import each other's modules may fail."""
DRIVER = "SCORELINE_DRIVER"
"""The variable that tells the process which workers are forked from the number of the driver's, which may have died."""

HASHES = {"PYTHONHASHSEED": "6640"}
"""Dask would set the same for each worker, too late for the process that they are forked from."""
