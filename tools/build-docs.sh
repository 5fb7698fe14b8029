#!/usr/bin/env bash
# Builds the DocC documentation of the public interface from the modules of a debug build:
#
#   tools/build-docs.sh [OUT]              `docc process-archive` and web servers take OUT
#
# The modules that AITemplate re-exports appear as part of it, as they do to its users. The tools are
# those of the Swift toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-out/docs} build=${BUILD:-.build/debug}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exported=$(sed -n 's/^@_exported import //p' Sources/AITemplate/Exports.swift | paste -sd, -)
maps=()
for map in $(find Sources "$build/../../checkouts" -name module.modulemap 2>/dev/null); do
  maps+=(-I "$(dirname "$map")")
done
target=$(swift -print-target-info | sed -nE 's/^ *"triple" *: *"([^"]*)".*/\1/p' | head -1)
swift symbolgraph-extract -module-name AITemplate -I "$build/Modules" "${maps[@]}" \
  -experimental-allowed-reexported-modules="$exported" -target "$target" \
  -minimum-access-level public -skip-inherited-docs -skip-synthesized-members -output-dir "$work"

docc=$(command -v docc || echo "$(dirname "$(realpath "$(command -v swift)")")/docc")
mkdir -p "$(dirname "$out")"
"$docc" convert Sources/AITemplate/AITemplate.docc --additional-symbol-graph-dir "$work" \
  --warnings-as-errors --fallback-display-name AITemplate \
  --fallback-bundle-identifier org.aitemplate.swift --output-path "$out"
