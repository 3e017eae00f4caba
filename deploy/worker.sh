#!/bin/bash
# A machine that grades for others:  bash deploy/worker.sh tcp://HEAD:8786
# Run in a checkout of the same version as the driver's; it installs what requirements.lock names.
set -euo pipefail
address=${1:?"give the scheduler's address: bash deploy/worker.sh tcp://HEAD:8786"}
make .venv/.ready
.venv/bin/python -m autograder doctor  # says what isolation this machine offers
export OMP_NUM_THREADS=1
# CS231N_GPU=1 on a machine whose GPUs are to be used.
exec .venv/bin/python -m dask worker "$address" --no-dashboard \
  --nworkers "${CS231N_WORKERS:-auto}" --nthreads 1 --memory-limit 0 \
  ${CS231N_GPU:+--resources GPU=1}
