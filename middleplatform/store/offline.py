"""The store's data opened without its process, to be looked after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.retention import Keeper, file_of
from middleplatform.store.schema import open_store
from middleplatform.store.upkeep import Upkeep
from middleplatform.store.windows import Windows
from models.site.model import Site


@contextmanager
def opened(home: Path, site: Site, url: str | None = None) -> Iterator[Upkeep]:
    """`url`: of the ClickHouse servers that have the data. Raises StoreError when the store is running or cannot be
    opened."""
    engine = open_store(home / "store", url)
    try:
        catalogue = Catalogue(site)
        windows = Windows(engine)
        keeper = Keeper(
            engine, windows, Audit(home / "store" / "audit.log"), lambda: catalogue.bulk, lambda: file_of(home)
        )
        yield Upkeep(engine, windows, keeper, catalogue.ages)
    finally:
        engine.close()
