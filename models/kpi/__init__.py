"""The figures of a mine, day by day: what is kept of a day, and what days add up to. See docs/utilisation.md."""
