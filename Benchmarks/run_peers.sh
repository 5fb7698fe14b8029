#!/bin/sh
# Measures us against PyTorch, ONNX Runtime and OpenVINO in float32, and keeps the tables: the
# tutorial's MLP in Benchmarks/peers.md, vision and language models in Benchmarks/models.md.
#
#   make bench-peers                      (makes the Python environment, builds `ait`)
#   Benchmarks/run_peers.sh VENV mlp [option of peers.py]...
#   Benchmarks/run_peers.sh VENV models [option of model_peers.py]...
#
# AIT names another `ait`, OUT another folder for weights and libraries.
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
python=$1/bin/python
what=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
ait=${AIT:-$root/.build/release/ait}
out=${OUT:-$root/out/peers}
mkdir -p "$out"

# keep FILE TITLE COMMAND...: prints a table. It is kept only if all went well; the exit status is
# that of the measurement.
keep() {
  file=$1
  title=$2
  shift 2
  rm -f "$out/status"
  {
    echo "# $title"
    echo
    echo "Written by \`make bench-peers\`; ratios matter, times are this machine's."
    echo
    "$@" || echo $? >"$out/status"
  } | tee "$out/$file"
  if [ -f "$out/status" ]; then exit "$(cat "$out/status")"; fi
  mv "$out/$file" "$root/Benchmarks/$file"
}

case $what in
  mlp)
    "$python" "$root/Benchmarks/peers.py" --write-weights "$out/weights.safetensors"
    "$ait" compile "$root/Examples/Graphs/tutorial_mlp.ait" --weights "$out/weights.safetensors" \
      --work-directory "$out/work" --output "$out/tutorial_mlp.so" --quiet
    keep peers.md "The tutorial's MLP against other engines" \
      "$python" "$root/Benchmarks/peers.py" --library "$out/tutorial_mlp.so" "$@"
    ;;
  models)
    keep models.md "Vision and language models against other engines" \
      "$python" "$root/Benchmarks/model_peers.py" --ait "$ait" --folder "$out/models" "$@"
    ;;
  *)
    echo "$0: measures mlp or models, not $what" >&2
    exit 2
    ;;
esac
