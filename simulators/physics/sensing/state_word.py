"""The state word that a safety sensor transmits (domain facts 1.4; the states of the templates)."""

NORMAL, ALARM, CUT_OFF, FEED_ABNORMAL, CALIBRATION, OVER_RANGE = 0, 1, 2, 3, 4, 8
STATION_FAULT, NOT_POLLED, PAUSED, SENSOR_FAULT = 16, 32, 64, 128

HOLDING = {"freeze": NORMAL, "station_fault": STATION_FAULT, "not_polled": NOT_POLLED, "paused": PAUSED}
"""Disturbances under which the last value stays, with the state that the station gives."""
