"""The command line."""

import argparse
from datetime import date, timedelta

from tidewater.boats import Boat
from tidewater.invoice import as_text, build_invoice
from tidewater.stays import Stay


def main(arguments):
    """Runs one command; the exit status."""
    options = _parser().parse_args(arguments)
    print(quote(options.length, options.arrival, options.nights))
    return 0


def quote(length, arrival, nights):
    """What a stay would cost, as text."""
    stay = Stay(Boat("Quote", "", length), arrival, arrival + timedelta(days=nights))
    return as_text(build_invoice(stay))


def _parser():
    parser = argparse.ArgumentParser(prog="tidewater")
    commands = parser.add_subparsers(required=True)
    asked = commands.add_parser("quote", help="what a stay would cost")
    asked.add_argument("--length", type=float, required=True, help="length of the boat in metres")
    asked.add_argument("--arrival", type=date.fromisoformat, required=True, help="such as 2026-07-03")
    asked.add_argument("--nights", type=int, default=1)
    return parser
