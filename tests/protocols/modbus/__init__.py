"""Tests of the Modbus adapter, against pymodbus' own server and against a hostile one."""
