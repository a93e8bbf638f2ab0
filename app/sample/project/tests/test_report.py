import unittest
from datetime import date

from tidewater.berths import Berth
from tidewater.boats import Boat
from tidewater.report import nights_between, occupancy_between, turnover_between
from tidewater.stays import Stay

STAY = Stay(Boat("Gull", "Berg", 10), date(2026, 7, 3), date(2026, 7, 8))


class ReportTest(unittest.TestCase):
    def test_nights_in_the_middle_of_a_period(self):
        self.assertEqual(nights_between([STAY], date(2026, 7, 1), date(2026, 7, 31)), 5)

    def test_occupancy(self):
        self.assertEqual(occupancy_between([STAY], [Berth(1, 12, 3)], date(2026, 7, 1), date(2026, 7, 11)), 0.5)

    def test_turnover(self):
        self.assertEqual(turnover_between([STAY], date(2026, 7, 1), date(2026, 7, 31)), 5 * 2300)
