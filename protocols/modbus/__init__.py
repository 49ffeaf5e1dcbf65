"""Modbus TCP, RTU inside TCP, and serial RTU, with frames of our own."""

from protocols.modbus.adapter import Modbus
from protocols.modbus.settings import ModbusSettings, Quirks

__all__ = ["Modbus", "ModbusSettings", "Quirks"]
