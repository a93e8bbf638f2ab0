#!/bin/sh
# All static checks; every one runs even when an earlier one fails, so that one look shows everything.
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
failed=0
run() {
  echo "· $*" >&2
  "$@" || failed=1
}
run $bin/ruff format --check .
run $bin/ruff check .
run $bin/mypy
run $bin/lint-imports
run $bin/zizmor --offline --no-progress --quiet .
run $bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
run $bin/act --validate --strict -W .github/workflows/
exit $failed
