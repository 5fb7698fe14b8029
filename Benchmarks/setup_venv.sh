#!/bin/sh
# Makes a Python environment with the peers that peers.py measures and the packages that the scripts
# in Tests/Fixtures need:
#
#   Benchmarks/setup_venv.sh DIR [--models]
#
# `--models` adds the libraries of models that model_peers.py measures. Takes 1.3 GB of disk, and some GB more where only the build of torch with CUDA is to be had. An
# environment that is there already is brought to the versions below.
set -eu

if [ $# -lt 1 ] || [ "${2:---models}" != --models ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
directory=$1
torch=2.13.0

[ -x "$directory/bin/python" ] || python3 -m venv "$directory"
pip="$directory/bin/python -m pip install --quiet --disable-pip-version-check"
# The build without CUDA is a tenth of the size, but not every package index has it.
$pip "torch==$torch+cpu" 2>/dev/null || $pip "torch==$torch"
$pip numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 openvino==2026.4.1 \
  safetensors==0.8.0
if [ $# -gt 1 ]; then
  # Without their dependency, which is the build of torch that torchvision was made for.
  $pip --no-deps torchvision==0.28.0 timm==1.0.31
  $pip transformers==5.24.0 pillow
fi
"$directory/bin/python" - <<'END'
from importlib.metadata import version
for name in ("torch", "onnxruntime", "openvino", "safetensors"):
    print(name, version(name))
END
