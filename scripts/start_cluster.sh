#!/usr/bin/env bash
# Start a Dask scheduler and workers on this machine; Ctrl-C stops them all.
#
#   scripts/start_cluster.sh [WORKERS] [PORT]        default: one worker per core, port 8786
#
# Then, in another terminal: scoreline run CONFIG --cluster tcp://127.0.0.1:8786
# On other machines, join with: dask worker tcp://THIS_MACHINE:8786 --nthreads 1
set -euo pipefail
workers=${1:-$(getconf _NPROCESSORS_ONLN)}
port=${2:-8786}
cd "$(dirname "$0")/.."
dask=.venv/bin/dask
[ -x "$dask" ] || dask=dask

# One thread per worker process, so that tasks and BLAS do not fight over cores.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

"$dask" scheduler --port "$port" &
"$dask" worker "tcp://127.0.0.1:$port" --nworkers "$workers" --nthreads 1 &
wait -n
