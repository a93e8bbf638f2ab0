import unittest
from datetime import date

from tidewater.boats import Boat
from tidewater.invoice import Line, as_text, build_invoice
from tidewater.stays import Stay

GULL = Boat("Gull", "Berg", 10)


class InvoiceTest(unittest.TestCase):
    def test_one_night(self):
        invoice = build_invoice(Stay(GULL, date(2026, 7, 3), date(2026, 7, 4)))
        self.assertEqual(invoice.lines, (Line("1 night, high season", 2300),))

    def test_two_seasons(self):
        invoice = build_invoice(Stay(GULL, date(2026, 3, 30), date(2026, 4, 2)))
        self.assertEqual([line.amount for line in invoice.lines], [3000, 2300])

    def test_power(self):
        invoice = build_invoice(Stay(GULL, date(2026, 7, 3), date(2026, 7, 4), power=10))
        self.assertEqual(invoice.total, 2300 + 450)

    def test_as_text(self):
        text = as_text(build_invoice(Stay(GULL, date(2026, 7, 3), date(2026, 7, 4))))
        self.assertTrue(text.endswith("23.00"))
