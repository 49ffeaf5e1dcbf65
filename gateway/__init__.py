"""The gateway: acquire, normalise, report by exception, and hand to the bus. `gateway.run` is all of it;
`gateway.run_from_bus` takes the site from the bus as well."""

from gateway.process import run, run_from_bus

__all__ = ["run", "run_from_bus"]
