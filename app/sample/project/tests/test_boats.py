import unittest

from tidewater.boats import Boat, by_skipper, find

GULL = Boat("Gull", "Berg", 8)
TERN = Boat("Tern", "Adler", 9)


class BoatsTest(unittest.TestCase):
    def test_by_skipper(self):
        self.assertEqual(by_skipper([GULL, TERN]), [TERN, GULL])

    def test_find_whatever_the_case(self):
        self.assertEqual(find([GULL, TERN], " tern "), TERN)

    def test_find_nothing(self):
        self.assertIsNone(find([GULL], "Heron"))
