import unittest
from datetime import date

from tidewater.cli import quote


class QuoteTest(unittest.TestCase):
    def test_quote(self):
        self.assertIn("2 nights, high season", quote(10, date(2026, 7, 3), 2))
