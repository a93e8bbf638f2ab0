#!/bin/sh
# Last step of action.yml, whatever happened: ends what a killed runner or orchestrator of this very job left behind.
set -eu
export SHOAL_JOB="${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-0}-${RUNNER_TEMP:-}"
if [ -x "${SHOAL_JOB_INTERPRETER:-}" ]; then exec "$SHOAL_JOB_INTERPRETER" -I -m runner clean; fi
