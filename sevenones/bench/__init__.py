"""Benchmarks, run by hand: `sevenones bench …`. Every value changes on every poll; settings are the defaults."""
