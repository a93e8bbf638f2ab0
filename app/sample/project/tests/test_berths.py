import unittest

from tidewater.berths import Berth, best_berth, fits, occupancy
from tidewater.boats import Boat

SHORT, LONG = Berth(1, 8, 2), Berth(2, 14, 3)


class BerthsTest(unittest.TestCase):
    def test_water_under_the_keel(self):
        self.assertFalse(fits(SHORT, Boat("Deep", "A", 7, draught=1.8)))

    def test_the_smallest_that_fits(self):
        self.assertEqual(best_berth([LONG, SHORT], Boat("Gull", "A", 7)), SHORT)

    def test_taken_ones_are_left_out(self):
        self.assertEqual(best_berth([LONG, SHORT], Boat("Gull", "A", 7), taken={1}), LONG)

    def test_no_berth(self):
        self.assertIsNone(best_berth([SHORT], Boat("Long", "A", 20)))

    def test_occupancy(self):
        self.assertEqual(occupancy(15, [SHORT, LONG], 30), 0.25)

    def test_occupancy_of_an_empty_harbour(self):
        self.assertEqual(occupancy(0, [], 30), 0.0)
