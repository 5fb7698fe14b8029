#!/usr/bin/env bash
# What the compiler and the formatter do not check of the tree. Prints each fault; fails if any.
#
#   tools/check-tree.sh [path/to/ait]      with it, docs/operators.md must be current too
set -euo pipefail
cd "$(dirname "$0")/.."
ait=${1:-}
faults=0

fault() {
  printf 'error: %s\n' "$*"
  faults=$((faults + 1))
}

# Fails with each line that a search finds; what is looked for is spelt so as not to find itself.
none() {
  local what=$1 found
  shift
  found=$("$@" || true)
  [ -z "$found" ] && return
  while IFS= read -r line; do fault "$what: $line"; done <<<"$found"
}

sources=(Sources Plugins Tests Examples Benchmarks Snippets tools Makefile Package.swift)
present=()
for path in "${sources[@]}"; do [ -e "$path" ] && present+=("$path"); done

none "unfinished work" \
  git grep --untracked -nE '\b(TO''DO|FIX''ME)\b' -- "${present[@]}"
none "an error that ends the program" \
  git grep --untracked -nE '\btry''!' -- Sources Plugins Examples
none "a file named after nothing" \
  git ls-files --cached --others --exclude-standard -- \
  '*Utils*' '*Utilities*' '*Helpers*' '*/Common.*' '*Misc*'

# An operator is a file of its own name: the build lists the folder.
for file in Sources/AITOperators/Operators/*.swift; do
  name=$(basename "$file" .swift)
  grep -qE "^package struct $name: .*Operator\b" "$file" ||
    fault "$file declares no 'package struct $name: Operator'"
done

# Pipeline.swift names every pass, with the reason for its place on the line before.
for file in Sources/AITPasses/Passes/*.swift; do
  name=$(basename "$file" .swift)
  grep -qE "^ *$name\(\),?$" Sources/AITPasses/Pipeline.swift ||
    fault "$file is not in Sources/AITPasses/Pipeline.swift"
  grep -q '^/// becomes' "$file" || fault "$file shows no graph before and after ('/// becomes')"
done

# Every diagnostic is provoked by a test, by the name of its case or by its text.
while read -r identity text; do
  grep -rqE "\.$identity\b|\b$text\b" Tests --include='*.swift' ||
    fault "no test provokes the diagnostic $identity ($text)"
done < <(sed -nE 's/^ +case ([A-Za-z]+) = "([a-z-]+)".*/\1 \2/p' Sources/AITGraph/Diagnostic.swift)

# Links between the pages lead somewhere.
for page in *.md docs/*.md docs/*/*.md; do
  [ -e "$page" ] || continue
  while IFS= read -r link; do
    [ -e "$(dirname "$page")/$link" ] || fault "$page links to $link, which is not there"
  done < <(grep -oE '\]\([^)#:]+[)#]' "$page" | sed -E 's/^\]\(//; s/[)#]$//')
done

# Code in articles stands word for word in files that are compiled.
code=$(find Snippets Examples Sources \( -name '*.swift' -o -name '*.c' \) -exec cat {} +)
for page in *.md docs/*/*.md Sources/AITemplate/AITemplate.docc/*.md; do
  block='' inside=0
  while IFS= read -r line; do
    case $line in
      '```swift' | '```c') inside=1 block='' ;;
      '```')
        if [ $inside = 1 ] && [[ $code != *"${block%$'\n'}"* ]]; then
          fault "$page holds code that no file has: ${block%%$'\n'*} …"
        fi
        inside=0
        ;;
      *) [ $inside = 0 ] || block+=$line$'\n' ;;
    esac
  done <"$page"
done

if [ -n "$ait" ]; then
  "$ait" operators --markdown | diff -u docs/operators.md - ||
    fault "docs/operators.md is not current: run 'make operators'"
fi

[ "$faults" -eq 0 ] || { printf '%d faults\n' "$faults" && exit 1; }
echo "the tree is in order"
