import unittest
from datetime import date

from tidewater.tariff import night_price, season_of


class TariffTest(unittest.TestCase):
    def test_seasons(self):
        self.assertEqual(season_of(date(2026, 1, 5)).name, "low")
        self.assertEqual(season_of(date(2026, 7, 5)).name, "high")

    def test_night_price(self):
        self.assertEqual(night_price(date(2026, 1, 5), 10), 1500)
        self.assertEqual(night_price(date(2026, 7, 5), 9.5), 2230)
