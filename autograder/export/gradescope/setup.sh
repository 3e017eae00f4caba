#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Python with the packages that
# grading needs, and the embedded data set. Another Ubuntu or Debian image does as well.
set -euo pipefail

root="${AUTOGRADER_ROOT:-/autograder}"
kit="$root/source"
venv="$root/venv"
torch_index="${CS231N_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}"

# The versions in requirements.lock were resolved for the first of these.
usable_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.13; do
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

if ! python="$(usable_python)"; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install --yes --no-install-recommends python3.11 python3.11-venv ||
        apt-get install --yes --no-install-recommends python3.12 python3.12-venv
    python="$(usable_python)"
fi

"$python" -m venv "$venv"
# Without a GPU, torch's CPU build is a tenth of the size. The other one will do if need be.
"$venv/bin/pip" install --quiet --no-cache-dir --no-deps --index-url "$torch_index" \
    --requirement "$kit/torch-cpu.lock" ||
    echo "setup.sh: no CPU build of torch from $torch_index; taking the usual one"
"$venv/bin/pip" install --quiet --no-cache-dir --requirement "$kit/requirements.lock"

# Kernels run as users of their own: they need Python, the library and the data, and nothing else.
chmod go+x "$root" "$kit"
chmod -R go+rX "$venv" "$kit/cs231n_lib"
chmod -R go-rwx "$kit/course" "$kit/autograder/checks"

export CS231N_CACHE="$root/cache" PYTHONPATH="$kit"
mkdir -p "$CS231N_CACHE"
"$venv/bin/python" -P -c '
from cs231n_lib.data import spritecifar
spritecifar.load("train")
spritecifar.load("test")

from autograder.judge.prepare import prepare
prepare(["features", "captions"])  # with the images, what all kernels load
'
chmod -R go+rX "$CS231N_CACHE"

# For the instructor to read: how student code will be isolated. What counts is where grading runs,
# and there it refuses to start without isolation.
"$venv/bin/python" -P -m autograder doctor || echo "setup.sh: no isolation while building the image"
