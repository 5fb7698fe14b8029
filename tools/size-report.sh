#!/usr/bin/env bash
# Lines per module, and the files that are too long: over 400 lines is a warning, over 600 fails.
#
#   tools/size-report.sh [BASE]      with the change in lines since a commit
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-}
soft=400 hard=600

# Sources that people write; generated files and fixtures are not among them.
listed() { git ls-files --cached --others --exclude-standard -- "$@" | grep -E '\.(swift|h|c|cpp|py|sh)$' | grep -v '/Golden/' || true; }
lines() { while IFS= read -r file; do [ -f "$file" ] && printf '%s %s\n' "$(wc -l <"$file")" "$file"; done; }
lines_at() { # commit path... : lines of the same kinds of files at a commit
  git ls-tree -r --name-only "$1" -- "${@:2}" | grep -E '\.(swift|h|c|cpp|py|sh)$' | grep -v '/Golden/' |
    while IFS= read -r file; do git show "$1:$file" | wc -l; done | awk '{s += $1} END {print s + 0}'
}

printf '%-24s %6s %7s %7s %8s%s\n' module files lines median largest "${base:+   change}"
for module in Sources/* Plugins Tests Benchmarks Examples tools; do
  [ -d "$module" ] || continue
  listed "$module" | lines | sort -n >"${TMPDIR:-/tmp}/size-report.$$"
  awk -v name="${module#Sources/}" '
    {n[NR] = $1; s += $1}
    END {if (NR) printf "%-24s %6d %7d %7d %8d", name, NR, s, n[int((NR + 1) / 2)], n[NR]}
  ' "${TMPDIR:-/tmp}/size-report.$$"
  if [ -n "$base" ]; then
    now=$(awk '{s += $1} END {print s + 0}' "${TMPDIR:-/tmp}/size-report.$$")
    printf ' %+8d' $((now - $(lines_at "$base" "$module")))
  fi
  echo
done
rm -f "${TMPDIR:-/tmp}/size-report.$$"

long=$(listed Sources Plugins Tests Benchmarks Examples tools ':!Tests/Fixtures' | lines | awk -v soft=$soft '$1 > soft' | sort -rn)
[ -z "$long" ] && exit 0
echo "$long" | awk -v hard=$hard -v soft=$soft '
  $1 > hard {printf "error: %s has %d lines, more than %d\n", $2, $1, hard; failed = 1; next}
  {printf "warning: %s has %d lines, more than %d\n", $2, $1, soft}
  END {exit failed}'
