#!/usr/bin/env bash
# Start a Dask scheduler and workers on this machine; Ctrl-C stops them all.
#
#   scripts/start_cluster.sh [WORKERS] [PORT] [HOST]      default: one worker per core, port 8786, host 127.0.0.1
#
# Then, in another terminal: scoreline run CONFIG --cluster tcp://127.0.0.1:8786
# With another HOST, other machines can join: dask worker tcp://HOST:8786 --nthreads 1, with the variables exported below
# Whoever reaches a scheduler can run code on it, so give it only an address of a network that you trust.
set -euo pipefail
workers=${1:-$(getconf _NPROCESSORS_ONLN)}
port=${2:-8786}
host=${3:-127.0.0.1}
cd "$(dirname "$0")/.."
dask=.venv/bin/dask
[ -x "$dask" ] || dask=dask

# One thread per worker process, so that tasks and BLAS do not fight over cores.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
# What Arrow would use keeps several times the memory of what is read.
export ARROW_DEFAULT_MEMORY_POOL=jemalloc
# Dask would have the system clear new memory for every array, and scoring take far longer.
export MALLOC_TRIM_THRESHOLD_=16777216 MALLOC_MMAP_THRESHOLD_=4194304
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

"$dask" scheduler --host "$host" --port "$port" --dashboard-address "$host:8787" &
"$dask" worker "tcp://$host:$port" --nworkers "$workers" --nthreads 1 &
wait -n
