"""A secured server for each test that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.protocols.opcua.machine import Machine


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = Machine()
    await machine.start()
    yield machine
    await machine.stop()
