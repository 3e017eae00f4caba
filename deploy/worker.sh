#!/bin/bash
# A machine that grades for others:  bash deploy/worker.sh tcp://HEAD:8786
# Run in a checkout of the same version as the driver's; it installs what requirements.lock names, unless
# CS231N_PYTHON names a Python that has it. deploy/systemd/ starts it when the machine starts.
#   CS231N_WORKERS   how many workers (default: one for each processor)
#   CS231N_GPU=1     these workers take notebooks that want a GPU: start as many as there are places
set -euo pipefail
address=${1:?"give the scheduler's address: bash deploy/worker.sh tcp://HEAD:8786"}

# Where this process's cgroup was handed over to it (systemd: Delegate=memory), pass its memory controller
# on: autograder/host/memory_group.py then gives each notebook a group of its own. A group that does so may
# hold no processes, so we move into one below it first. Elsewhere this does nothing.
hand_memory_on() {
  local mount=${CS231N_CGROUPS:-/sys/fs/cgroup} path
  path=$(sed -n 's/^0:://p' "${CS231N_OWN_CGROUP:-/proc/self/cgroup}")
  local ours="$mount${path%/}"
  [ -w "$ours/cgroup.procs" ] && [ -w "$ours/cgroup.subtree_control" ] || return 0
  mkdir -p "$ours/workers" && echo $$ >"$ours/workers/cgroup.procs" &&
    echo +memory >"$ours/cgroup.subtree_control" ||
    echo "worker.sh: $ours does not hand its memory controller on; the judge watches memory itself" >&2
}
hand_memory_on

if [ -z "${CS231N_PYTHON:-}" ]; then
  make .venv/.ready
fi
python=${CS231N_PYTHON:-.venv/bin/python}
"$python" -m autograder doctor # says what isolation this machine offers
export OMP_NUM_THREADS=1 DASK_DISTRIBUTED__DIAGNOSTICS__NVML=False # GPUs are the judge's to watch
# dask's "auto" would give a few workers several threads each, and a worker grades one at a time;
# nproc would take OMP_NUM_THREADS for the number of processors.
processors=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
exec "$python" -m dask worker "$address" --no-dashboard \
  --nworkers "${CS231N_WORKERS:-$processors}" --nthreads 1 --memory-limit 0 \
  ${CS231N_GPU:+--resources GPU=1}
