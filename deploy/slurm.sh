#!/bin/bash
# Grade an assignment on a Slurm cluster:  sbatch deploy/slurm.sh assignment1 [--force ...]
# The first node runs scheduler and driver, every node runs workers. Only the first node needs the
# course folder; all need the package, installed as in deploy/worker.sh.
#SBATCH --job-name=grading
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=02:00:00
# On nodes with GPUs: deploy/slurm_gpu.sh.
set -euo pipefail

assignment=${1:?"name the assignment: sbatch deploy/slurm.sh assignment1"}
python=${CS231N_PYTHON:-.venv/bin/python}  # the same path on every node
address="tcp://$(hostname -f):8786"

"$python" -m dask scheduler --port 8786 --no-dashboard &
trap 'kill %1' EXIT

# One thread a worker: a judge and its kernel take one processor.
srun --export=ALL,OMP_NUM_THREADS=1 "$python" -m dask worker "$address" --no-dashboard \
  --nworkers "$SLURM_CPUS_PER_TASK" --nthreads 1 --memory-limit 0 &

"$python" -m autograder grade "$assignment" --scheduler "$address" "${@:2}"
