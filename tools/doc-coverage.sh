#!/usr/bin/env bash
# How many declarations above `private` have a doc comment, by module and by access; names those
# that lack one. Reads the modules of a debug build (`make build`); takes seconds.
#
#   tools/doc-coverage.sh                  the table
#   tools/doc-coverage.sh --list           and each declaration without a comment
#   tools/doc-coverage.sh --at-least 95    fails if public or package declarations reach less
set -euo pipefail
cd "$(dirname "$0")/.."
list=0 least=0 build=${BUILD:-.build/debug}
while [ $# -gt 0 ]; do
  case $1 in
    --list) list=1 ;;
    --at-least) least=$2 && shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
  esac
  shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=$(swift -print-target-info | sed -nE 's/^ *"triple" *: *"([^"]*)".*/\1/p' | head -1)
# Modules in C, ours and those of dependencies, lie with their headers.
maps=()
for map in $(find Sources "$build/../../checkouts" -name module.modulemap 2>/dev/null); do
  maps+=(-I "$(dirname "$map")")
done
for folder in Sources/AIT*; do
  module=$(basename "$folder")
  [ -e "$build/Modules/$module.swiftmodule" ] || continue
  swift symbolgraph-extract -module-name "$module" -I "$build/Modules" -target "$target" \
    -minimum-access-level package -skip-synthesized-members -output-dir "$work" "${maps[@]}" \
    >"$work/log" 2>&1 ||
    { cat "$work/log" >&2 && exit 1; }
done

# The files hold one JSON object each; a line for each symbol is enough to read them.
for file in "$work"/*.symbols.json; do
  name=$(basename "$file" .symbols.json)
  sed 's/{"kind":{"identifier":"swift\./\n&/g' "$file" |
    sed -n "s/^{\"kind\":{\"identifier\":\"swift\./${name%%@*} /p"
done | awk -v list=$list -v least="$least" '
  # Cases of enumerations are explained together; what conforms to a protocol is explained there;
  # conversions made by the compiler lie nowhere.
  $2 ~ /^enum\.case/ || !/"location":/ || !/"accessLevel":"(public|open|package)"/ {next}
  {
    match($0, /"accessLevel":"[a-z]*"/)
    access = substr($0, RSTART + 15, RLENGTH - 16) == "package" ? "package" : "public"
    key = $1 " " access
    modules[$1] = 1
    all[key]++; total[access]++
    if (/"docComment":/) {documented[key]++; sum[access]++; next}
    match($0, /"pathComponents":\[[^]]*/)
    path = substr($0, RSTART + 18, RLENGTH - 18); gsub(/"/, "", path); gsub(/,/, ".", path)
    match($0, /Sources\/[^"]*\.swift","position":\{"line":[0-9]*/)
    place = substr($0, RSTART, RLENGTH); sub(/","position":\{"line":/, ":", place)
    line = place; sub(/.*:/, "", line); sub(/:[0-9]*$/, "", place)
    if (list) missing[++count] = place ":" line + 1 ": " access " " path
  }
  function share(done, whole) {return whole ? sprintf("%5.1f %% of %4d", 100 * done / whole, whole) : sprintf("%15s", "-")}
  END {
    for (i = 1; i <= count; i++) print missing[i] | "sort -t: -k1,1 -k2,2n"
    close("sort -t: -k1,1 -k2,2n")
    printf "%-18s %16s %16s\n", "module", "public", "package"
    for (name in modules)
      printf "%-18s %s %s\n", name, share(documented[name " public"], all[name " public"]), share(documented[name " package"], all[name " package"]) | "sort"
    close("sort")
    printf "%-18s %s %s\n", "all", share(sum["public"], total["public"]), share(sum["package"], total["package"])
    exit 100 * sum["public"] < least * total["public"] || 100 * sum["package"] < least * total["package"]
  }'
