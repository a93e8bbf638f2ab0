#!/bin/sh
# Makes .venv with the locked versions: by uv where it is installed, else by venv and pip. Touches nothing global.
set -eu
python="${1:-}"
cd "$(dirname "$0")/.."
if command -v uv >/dev/null 2>&1; then
  uv sync --frozen --all-extras --quiet
else
  if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "shoal needs Python 3.11 or newer, or uv; found: ${python:-none}. Install one, or name it: make setup PYTHON=/path/to/python3.11" >&2
    exit 1
  fi
  echo "setting up .venv with $("$python" --version) (once, about a minute)" >&2
  "$python" -m venv .venv
  .venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[app,runner,postgres,dev]'
fi
touch .venv/.ready
