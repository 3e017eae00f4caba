#!/usr/bin/env bash
# What `make` runs first: the folder .venv, with the packages that the lock files name.
#
#   PYTHON=python3.12   this Python, and no other (default: the first that fits, of those below)
#   TORCH=cpu|cuda      which build of PyTorch (default: cuda where there is an NVIDIA driver)
#   CS231N_TORCH_INDEX  where to find the CPU build, for a mirror of PyTorch's own index
set -euo pipefail
cd "$(dirname "$0")/.."

environment=.venv
cpu_index="https://download.pytorch.org/whl/cpu"
driver="${CS231N_NVIDIA_DRIVER:-/proc/driver/nvidia/version}" # tests have one of their own

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
version='import sys; print("%d.%d" % sys.version_info[:2])'

fail() {
  echo "make: $*" >&2
  exit 1
}

# Python 3.11 first: it is what the course is graded with.
choose_python() {
  local candidate unsuitable=""
  for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    if ! "$candidate" -c "$fits" >/dev/null 2>&1; then
      unsuitable+="${unsuitable:+, }$candidate $("$candidate" -c "$version" 2>/dev/null || echo "is not there")"
    elif "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      python="$candidate"
      return
    else
      without_venv="${without_venv:-$candidate}"
    fi
  done
  if [ -n "${without_venv:-}" ]; then
    fail "$without_venv has no venv; install it (Debian, Ubuntu:" \
      "apt install python$("$without_venv" -c "$version")-venv), then run the command again"
  fi
  fail "Python 3.11, 3.12 or 3.13 is needed ($unsuitable); install one (Debian, Ubuntu:" \
    "apt install python3 python3-venv; with uv: uv python install 3.11), or name it: make PYTHON=..."
}

# An environment that is there is kept, unless it is broken, too old, or not of the Python asked for.
keeps() {
  "$environment/bin/python" -c "$fits" >/dev/null 2>&1 &&
    "$environment/bin/python" -m pip --version >/dev/null 2>&1 &&
    { [ -z "${PYTHON:-}" ] || [ "$("$environment/bin/python" -c "$version")" = "$("$python" -c "$version")" ]; }
}

if [ -n "${PYTHON:-}" ] || ! keeps; then
  choose_python
fi
case "${TORCH:=$([ -e "$driver" ] && echo cuda || echo cpu)}" in
  cpu | cuda) ;;
  *) fail "TORCH=$TORCH is neither cpu nor cuda" ;;
esac

if keeps; then
  python="$environment/bin/python"
else
  "$python" -m venv --clear "$environment"
fi
echo "Setting up $environment with Python $("$environment/bin/python" -c "$version")" \
  "and PyTorch for $TORCH (a minute or a few) ..."

# -qq: errors are shown; warnings about the index that pip is configured to use are not.
install() {
  "$environment/bin/python" -m pip install -qq --disable-pip-version-check "$@"
}

if [ "$TORCH" = cuda ]; then
  install --no-deps --requirement torch-cuda.lock
elif ! tried=$(install --no-deps --retries 1 --index-url "${CS231N_TORCH_INDEX:-$cpu_index}" \
  --requirement torch-cpu.lock 2>&1); then
  said=$(grep -m1 '^ERROR' <<<"$tried" || echo "${tried##*$'\n'}")
  echo "make: no CPU build of PyTorch from ${CS231N_TORCH_INDEX:-$cpu_index} ($said);" \
    "taking the usual build, which on Linux brings gigabytes for CUDA" >&2
fi
install --requirement requirements.lock
install --no-deps --editable .
