"""Prometheus' query language over history, as much of it as dashboards need; the rest is refused by name."""
