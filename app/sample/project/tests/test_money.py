import unittest

from tidewater.money import cents, share, written


class MoneyTest(unittest.TestCase):
    def test_cents_of_text(self):
        self.assertEqual(cents("12.5"), 1250)

    def test_half_a_cent_goes_up(self):
        self.assertEqual(cents("0.005"), 1)

    def test_share(self):
        self.assertEqual(share(1999, 10), 200)

    def test_written_with_thousands(self):
        self.assertEqual(written(123456), "1,234.56")

    def test_written_below_nothing(self):
        self.assertEqual(written(-5), "-0.05")
