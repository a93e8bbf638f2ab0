#!/bin/sh
# All static checks; every one runs even when an earlier one fails, so that one look shows everything.
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
failed=""
run() {
  echo "· $*" >&2
  "$@" || failed="$failed
  $*"
}
run $bin/ruff format --check .
run $bin/ruff check .
run $bin/mypy
run $bin/lint-imports
run $bin/zizmor --offline --no-progress --quiet .
run $bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
run $bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
run $bin/check-jsonschema --check-metaschema docs/shoal.schema.json
run $bin/check-jsonschema --builtin-schema vendor.github-actions action.yml
run $bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/compose.postgres.yaml
run $bin/act --validate --strict -W .github/workflows/
run $bin/python -m scripts.settings_table --check
run $bin/python -m scripts.locked_versions
if [ -n "$failed" ]; then
  echo "make check: these failed:$failed" >&2
  exit 1
fi
echo "make check: all green" >&2
