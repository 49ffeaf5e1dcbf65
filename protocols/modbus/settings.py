"""What a connection's `settings:` may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    field_validator,
    model_validator,
)

from protocols.adapter import Settings
from protocols.modbus.forbidden import Forbidden
from protocols.modbus.place import Place


class Quirks(BaseModel):
    """What one kind of device does otherwise than the standard says. Each is a fault seen in the field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pause_after_connect_s: Annotated[
        float, Field(ge=0, le=60, description="wait before the first request, for devices that need it")
    ] = 0.0
    pause_s: Annotated[
        float, Field(ge=0, le=10, description="wait before each further request, for devices that need it")
    ] = 0.0
    first_address: Annotated[
        Literal[0, 1] | None,
        Field(
            description="the manual's number of the very first register or coil; by default 0 in hr:0 and 1 in 40001"
        ),
    ] = None
    one_request_a_field: Annotated[
        bool, Field(description="never read two values in one request, for devices that answer only whole fields")
    ] = False
    multiple_writes_only: Annotated[
        bool, Field(description="write single registers and coils by functions 16 and 15, where 6 and 5 are missing")
    ] = False
    any_unit: Annotated[
        bool, Field(description="take replies that name another unit than was asked (Modbus TCP alone)")
    ] = False
    local_echo: Annotated[
        bool, Field(description="the converter gives each request back before the reply (RTU; all on the line alike)")
    ] = False
    close_after_poll: Annotated[
        bool, Field(description="close the connection after each poll, for devices that serve one master at a time")
    ] = False


def _number_or_path(port: object, as_number: ValidatorFunctionWrapHandler) -> object:
    return port if isinstance(port, str) and port.startswith("/") else as_number(port)


class ModbusSettings(Settings):
    """A connection's `settings:`."""

    transport: Annotated[
        Literal["tcp", "rtu-over-tcp", "serial"],
        Field(description="Modbus TCP, RTU frames inside TCP (a transparent serial server), or a serial port"),
    ] = "tcp"
    host: Annotated[str, Field(description="address or name of the device; not for a serial port")] = ""
    port: Annotated[
        int,
        Field(ge=1, le=65535, description="TCP port of its Modbus server, or the serial port, such as /dev/ttyS0"),
        WrapValidator(_number_or_path),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string"}]}),
    ] = 502
    baud: Annotated[int, Field(ge=300, le=4_000_000, description="speed of the serial port, bit/s")] = 9600
    parity: Annotated[Literal["none", "even", "odd"], Field(description="parity of the serial port")] = "none"
    stop: Annotated[Literal[1, 2], Field(description="stop bits of the serial port")] = 1
    unit: Annotated[int, Field(ge=0, le=255, description="unit of addresses that name none")] = 1
    timeout_s: Annotated[float, Field(gt=0, le=60, description="longest wait for a connection or a reply")] = 2.0
    gap: Annotated[
        int, Field(ge=0, le=124, description="registers nobody asked for that a block may span (bits: 16 times that)")
    ] = 8
    max_registers: Annotated[
        int, Field(ge=1, le=125, description="most registers in one request, if the device takes fewer than 125")
    ] = 125
    max_bits: Annotated[
        int, Field(ge=1, le=2000, description="most bits in one request, if the device takes fewer than 2000")
    ] = 2000
    forbidden: Annotated[
        tuple[str, ...],
        Field(description='ranges that are never touched, as "hr:200-299" or "2/co:5", numbers as on the wire'),
    ] = ()
    rest_s: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            description="pause before what failed twice is asked again; doubles up to 60 s, or this if longer",
        ),
    ] = 10.0
    quirks: Annotated[
        Quirks, Field(default_factory=Quirks, description="what this device does otherwise than the standard says")
    ]

    @field_validator("forbidden")
    @classmethod
    def _ranges(cls, ranges: tuple[str, ...]) -> tuple[str, ...]:
        Forbidden.parse(ranges)
        return ranges

    @model_validator(mode="after")
    def _place(self) -> ModbusSettings:
        if self.transport == "serial":
            if not isinstance(self.port, str):
                raise ValueError(
                    "串行线路需写明串口名称，如 port: /dev/ttyS0 · "
                    "a serial line needs the name of its port, such as port: /dev/ttyS0"
                )
            if self.host:
                raise ValueError(
                    "串口没有 host，串口服务器请用 transport: rtu-over-tcp · "
                    "a serial port has no host; for a serial server take transport: rtu-over-tcp"
                )
        else:
            if not self.host:
                raise ValueError("缺少 'host' · 'host' is missing")
            if isinstance(self.port, str):
                raise ValueError(
                    f"'{self.port}' 是串口，需要 transport: serial · "
                    f"'{self.port}' is a serial port, and that needs transport: serial"
                )
        if self.quirks.any_unit and self.transport != "tcp":
            raise ValueError(
                "any_unit 只用于 Modbus TCP：RTU 的应答由谁发出，只能由站号得知 · "
                "any_unit is for Modbus TCP: on RTU nothing but the unit says whose reply it is"
            )
        if self.quirks.local_echo and self.transport == "tcp":
            raise ValueError(
                "local_echo 只用于 RTU：Modbus TCP 上没有设备送回请求 · "
                "local_echo is for RTU: nothing gives requests back on Modbus TCP"
            )
        if self.transport != "tcp" and not 1 <= self.unit <= 247:
            raise ValueError(
                f"串行线路的站号为 1 至 247（0 为广播，无人应答），不是 {self.unit} · "
                f"units on a serial line are 1 to 247 (0 is everyone, who cannot answer), not {self.unit}"
            )
        return self

    @property
    def place(self) -> Place:
        """Where the line is, for those who share it."""
        if self.transport == "serial":
            return Place(self.transport, "", self.port, self.baud, self.parity, self.stop, self.quirks.local_echo)
        return Place(self.transport, self.host, self.port, local_echo=self.quirks.local_echo)
