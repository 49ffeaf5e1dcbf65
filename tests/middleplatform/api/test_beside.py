"""What runs beside the serving is begun again when it fails or ends."""

from __future__ import annotations

import asyncio

from middleplatform.api.beside import begun


async def test_what_fails_or_ends_is_told_and_begun_again(capsys):
    began, stays = [], asyncio.Event()

    async def work():
        began.append(len(began))
        if len(began) == 1:
            raise RuntimeError("worn out")
        if len(began) > 2:
            stays.set()
            await asyncio.Event().wait()

    tasks = begun([("rollers", work)], again_s=0.01)
    try:
        async with asyncio.timeout(30):
            await stays.wait()
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert len(began) == 3 and isinstance(ended[0], asyncio.CancelledError)
    said = capsys.readouterr().out
    assert "worn out" in said and "rollers" in said and "has ended and is begun again" in said
