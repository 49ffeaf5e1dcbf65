"""Modbus TCP on pymodbus."""

from protocols.modbus.adapter import Modbus, ModbusSettings

__all__ = ["Modbus", "ModbusSettings"]
