"""The `shoal` command: turns errors into one line and an exit status."""

import sys
from typing import NoReturn

from app.cli import cli
from shared.errors import FatalError, TransientError, UserError

WORK_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main() -> None:
    """Runs the command line; a bug keeps its traceback, nothing else shows one."""
    try:
        cli()
    except UserError as error:
        _end(error, BAD_INPUT)
    except (FatalError, TransientError) as error:
        _end(error, WORK_FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _end(error: Exception, status: int) -> NoReturn:
    sys.stderr.write(f"shoal: {' '.join(str(error).split())}\n")
    sys.exit(status)


if __name__ == "__main__":
    main()
