"""``python -m benchmarks``: what `make bench` runs."""

from benchmarks.predict_against_dask import main

main()
