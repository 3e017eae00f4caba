#!/bin/bash
# Grade on a Slurm cluster's GPU nodes:  sbatch deploy/slurm_gpu.sh assignment1 [--force ...]
# The first node runs scheduler and driver, every node workers of two kinds: as many that take notebooks
# for a GPU as there are places on its GPUs, and others on the processors that are left. Only the first
# node needs the course folder; all need the package, installed as in deploy/worker.sh.
#SBATCH --job-name=grading-gpu
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:2
#SBATCH --mem-per-cpu=4G
#SBATCH --time=02:00:00
# Two GPUs on each node, as --gres says; another number: sbatch --gres=gpu:4 deploy/slurm_gpu.sh ...
set -euo pipefail

assignment=${1:?"name the assignment: sbatch deploy/slurm_gpu.sh assignment1"}
python=${CS231N_PYTHON:-.venv/bin/python}  # the same path on every node
places=${CS231N_PLACES:-4}                 # notebooks on one GPU at a time: `share` in their metadata
gpus=${SLURM_GPUS_ON_NODE:?"no GPU was given to this job: sbatch --gres=gpu:2 deploy/slurm_gpu.sh"}
address="tcp://$(hostname -f):8786"

with_gpu=$((gpus * places))
if ((with_gpu > SLURM_CPUS_PER_TASK)); then
  with_gpu=$SLURM_CPUS_PER_TASK
fi
others=$((SLURM_CPUS_PER_TASK - with_gpu))

"$python" -m dask scheduler --port 8786 --no-dashboard &
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# One thread a worker: a judge and its kernel take one processor. Both kinds are one step, because
# two steps would each be given GPUs of their own; the kinds differ in dask's resource alone.
export OMP_NUM_THREADS=1 DASK_DISTRIBUTED__DIAGNOSTICS__NVML=False # GPUs are the judge's to watch
# shellcheck disable=SC2016  # expanded on the nodes
srun --export=ALL --gres="gpu:$gpus" --cpus-per-task="$SLURM_CPUS_PER_TASK" bash -c '
  python=$1 address=$2 with_gpu=$3 others=$4
  worker() {
    "$python" -m dask worker "$address" --no-dashboard --nthreads 1 --memory-limit 0 --nworkers "$@"
  }
  trap "kill \$(jobs -p) 2>/dev/null" EXIT
  worker "$with_gpu" --resources GPU=1 &
  if [ "$others" -gt 0 ]; then
    worker "$others" &
  fi
  wait' workers "$python" "$address" "$with_gpu" "$others" &

"$python" -m autograder grade "$assignment" --scheduler "$address" --gpus "${@:2}"
