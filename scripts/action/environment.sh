#!/bin/sh
# First step of action.yml: a venv for exactly these sources and this Python, made once per machine and found again by their hash.
set -eu

fail() {
  echo "::error title=Shoal::$1"
  exit 2
}

case "${RUNNER_OS:-$(uname -s)}" in
  Linux | macOS | Darwin) ;;
  *) fail "Shoal does not work on ${RUNNER_OS:-$(uname -s)}: give the job a Linux or macOS runner (runs-on)" ;;
esac
case "${SHOAL_JOB_MODE:-}" in
  work) extras=runner ;;
  orchestrate) extras=app,runner ;;
  *) fail "input 'mode' must be work or orchestrate, it is '${SHOAL_JOB_MODE:-}'" ;;
esac

is_new_enough() {
  "$1" -I -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  if [ -n "${SHOAL_JOB_PYTHON:-}" ]; then
    is_new_enough "$SHOAL_JOB_PYTHON" || fail "input 'python': $SHOAL_JOB_PYTHON is no Python 3.11 or newer with the venv module"
    command -v "$SHOAL_JOB_PYTHON"
    return
  fi
  for name in python3.14 python3.13 python3.12 python3.11 python3; do
    if is_new_enough "$name"; then
      command -v "$name"
      return
    fi
  done
  if command -v uv >/dev/null 2>&1 && uv python install --quiet 3.13 >&2; then
    uv python find --no-project --managed-python 3.13
    return
  fi
  fail "this runner has neither Python 3.11 or newer (with venv) nor uv: install one, or name it with input 'python'"
}

if command -v sha256sum >/dev/null 2>&1; then hash="sha256sum"; else hash="shasum -a 256"; fi

# What is installed decides, not the name of a tag or branch: a moved ref gets an environment of its own.
hash_of_sources() {
  find app runner shared pyproject.toml uv.lock constraints.txt -type f ! -name '*.pyc' -exec $hash {} + | LC_ALL=C sort | $hash | cut -c 1-16
}

install() {
  if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "$python" "$1"
    flags=$(echo "$extras" | sed 's/^/--extra /; s/,/ --extra /g')
    # shellcheck disable=SC2086 # two words for each extra
    UV_PROJECT_ENVIRONMENT="$1" uv sync --quiet --frozen --no-editable --compile-bytecode $flags
  else
    "$python" -I -m venv "$1"
    "$1/bin/python" -I -m pip install -qq --disable-pip-version-check -c constraints.txt ".[$extras]"
  fi
}

cd "$(dirname "$0")/../.."
python=$(find_python) || { echo "$python"; exit 2; }
version=$("$python" -I -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
cache="${RUNNER_TOOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/shoal"
place="$cache/env-$SHOAL_JOB_MODE-$version-$(hash_of_sources)"

if [ ! -x "$place/bin/python" ]; then
  mkdir -p "$cache" || fail "the tool cache $cache cannot be written: let the runner's user write it, or set RUNNER_TOOL_CACHE"
  aside=$(mktemp -d "$cache/building-XXXXXX")
  trap 'rm -rf "$aside"' EXIT
  echo "making $place (once)"
  install "$aside/env" || fail "the environment could not be made; the lines above say why"
  # Whoever is first wins; a half-made environment is never seen under its name.
  "$python" -I -c 'import os, sys; os.rename(*sys.argv[1:])' "$aside/env" "$place" 2>/dev/null || [ -x "$place/bin/python" ] ||
    fail "$place could not be put in its place: look at the free space and the rights of $cache"
  # What no job used for a month, and what builders that were killed left.
  find "$cache" -mindepth 1 -maxdepth 1 \( -name 'env-*' -mtime +30 -o -name 'building-*' -mtime +1 \) -exec rm -rf {} +
fi
touch "$place"
echo "python=$place/bin/python" >>"$GITHUB_OUTPUT"
