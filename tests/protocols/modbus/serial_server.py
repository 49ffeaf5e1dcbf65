"""pymodbus on a serial port, in a process of its own: pyserial waits with select, which knows no file above
the 1,024th, and a process that runs many tests has more than that."""

from __future__ import annotations

import asyncio
import sys

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice


async def serve(port: str) -> None:
    """Coils, discrete inputs, holding and input registers of unit 5, until it is ended; says when it is there."""
    areas = (
        [SimData(0, values=[n % 3 == 0 for n in range(64)], datatype=DataType.BITS)],
        [SimData(0, values=[n % 5 == 0 for n in range(64)], datatype=DataType.BITS)],
        [SimData(0, values=list(range(300)), datatype=DataType.REGISTERS)],
        [SimData(0, values=list(range(1000, 1300)), datatype=DataType.REGISTERS)],
    )
    server = ModbusSerialServer(SimDevice(id=5, simdata=areas), framer=FramerType.RTU, port=port, baudrate=115200)
    await server.serve_forever(background=True)
    print("there", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
