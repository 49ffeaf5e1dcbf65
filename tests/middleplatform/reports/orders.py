"""Orders of reports over the made-up March."""

from __future__ import annotations

from datetime import date

from models.report.build import Order
from models.report.content import Kind
from tests.middleplatform.kpi.made import FIRST, ONE, THREE, TWO

LAST = date(2026, 3, 31)
AT = 1_775_000_000_000_000
BUREAU = Order(Kind.BUREAU, (ONE, TWO, THREE), FIRST, LAST)
MONTH = Order(Kind.MONTHLY, (ONE,), FIRST, LAST)
DAY = Order(Kind.DAILY, (ONE,), FIRST, FIRST)
SHIFT = Order(Kind.SHIFT, (ONE,), FIRST, FIRST, "2")
ALL = {"bureau": BUREAU, "monthly": MONTH, "daily": DAY, "shift": SHIFT}
