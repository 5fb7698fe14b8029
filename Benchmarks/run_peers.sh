#!/bin/sh
# Measures the tutorial's MLP in float32 against PyTorch, ONNX Runtime and OpenVINO, and keeps the
# tables in Benchmarks/peers.md:
#
#   make bench-peers                      (makes the Python environment, builds `ait`)
#   Benchmarks/run_peers.sh VENV [option of peers.py]...
#
# AIT names another `ait`, OUT another folder for weights and library.
set -eu

if [ $# -lt 1 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
python=$1/bin/python
shift
root=$(cd "$(dirname "$0")/.." && pwd)
ait=${AIT:-$root/.build/release/ait}
out=${OUT:-$root/out/peers}
mkdir -p "$out"

"$python" "$root/Benchmarks/peers.py" --write-weights "$out/weights.safetensors"
"$ait" compile "$root/Examples/Graphs/tutorial_mlp.ait" --weights "$out/weights.safetensors" \
  --work-directory "$out/work" --output "$out/tutorial_mlp.so" --quiet

# The table is kept only if all went well; the exit status is that of the measurement.
status=0
{
  echo "# The tutorial's MLP against other engines"
  echo
  echo "Written by \`make bench-peers\`; ratios matter, times are this machine's."
  echo
  "$python" "$root/Benchmarks/peers.py" --library "$out/tutorial_mlp.so" "$@" || echo $? >"$out/status"
} | tee "$out/peers.md"
if [ -f "$out/status" ]; then
  status=$(cat "$out/status")
  rm "$out/status"
else
  mv "$out/peers.md" "$root/Benchmarks/peers.md"
fi
exit "$status"
