import unittest
from datetime import date

from tidewater.boats import Boat
from tidewater.stays import Stay, nights, overlap

GULL = Boat("Gull", "Berg", 8)


class StaysTest(unittest.TestCase):
    def test_nights(self):
        stay = Stay(GULL, date(2026, 7, 30), date(2026, 8, 1))
        self.assertEqual(nights(stay), [date(2026, 7, 30), date(2026, 7, 31)])

    def test_departure_after_arrival(self):
        with self.assertRaises(ValueError):
            Stay(GULL, date(2026, 7, 3), date(2026, 7, 3))

    def test_the_day_of_change_is_no_overlap(self):
        one = Stay(GULL, date(2026, 7, 1), date(2026, 7, 3))
        other = Stay(GULL, date(2026, 7, 3), date(2026, 7, 5))
        self.assertFalse(overlap(one, other))
