"""Runs the command line."""

import sys

from tidewater.cli import main

sys.exit(main(sys.argv[1:]))
