#!/bin/sh
# Puts the compiler of device code into a folder, without the rest of a CUDA toolkit (340 MB), and
# prints its path:
#
#   tools/install-nvcc.sh FOLDER
#
# Does nothing where it is there already. Needs python3 with venv and pip.
set -eu

if [ $# -ne 1 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
folder=$1
nvcc() { ls "$folder"/lib/python3*/site-packages/nvidia/cu13/bin/nvcc 2>/dev/null | head -n 1; }

if [ -z "$(nvcc)" ]; then
  python3 -m venv "$folder" >&2
  "$folder"/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 >&2
fi
path=$(nvcc)
test -x "$path"
echo "$path"
