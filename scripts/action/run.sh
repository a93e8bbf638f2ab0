#!/bin/sh
# Second step of action.yml: becomes the runner or the orchestrator, so that a cancelled job's SIGINT reaches it and no shell.
set -eu
export SHOAL_JOB="${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-0}-${RUNNER_TEMP:-}"
if [ "$SHOAL_JOB_MODE" = work ]; then
  exec "$SHOAL_JOB_INTERPRETER" -I -m runner
fi
set --
if [ -n "${SHOAL_JOB_ISSUES:-}" ]; then set -- "$@" --issues "$SHOAL_JOB_ISSUES"; fi
if [ -n "${SHOAL_JOB_LABEL:-}" ]; then set -- "$@" --label "$SHOAL_JOB_LABEL"; fi
if [ -n "${SHOAL_JOB_SLOTS:-}" ]; then set -- "$@" --slots "$SHOAL_JOB_SLOTS"; fi
exec "$SHOAL_JOB_INTERPRETER" -I -m app orchestrate "$@"
