"""The site's points and equipment as tables beside the samples, for statements that join them."""

from __future__ import annotations

import pyarrow as pa

from middleplatform.store.engine import Engine
from models.site.model import Site

POINTS = pa.schema(
    [
        ("point", pa.uint64()),
        *(
            (name, pa.string())
            for name in ("path", "equipment", "name_zh", "name_en", "unit", "role", "kind", "retention")
        ),
        *((name, pa.float64()) for name in ("low", "high", "silence_s")),
    ]
)
EQUIPMENT = pa.schema([(name, pa.string()) for name in ("equipment", "name_zh", "name_en", "template", "area")])

_TABLES = {
    "site_points": (POINTS, "point"),
    "site_equipment": (EQUIPMENT, "equipment"),
}
_TYPES = {pa.uint64(): "UInt64", pa.string(): "String", pa.float64(): "Float64"}


class SiteTables:
    """`site_points` and `site_equipment`. Blocking; to be called by the writer's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def adopt(self, site: Site) -> None:
        """Let the tables hold this site; who reads meanwhile sees the old one or the new one, whole. They are for
        callers' own statements: an engine that runs none has none."""
        if not self._engine.confines:
            return
        for name, rows in (("site_points", points_of(site)), ("site_equipment", equipment_of(site))):
            schema, key = _TABLES[name]
            columns = ", ".join(f"`{field.name}` {_TYPES[field.type]}" for field in schema)
            for table in (name, f"{name}_next"):
                self._engine.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} ({columns}) ENGINE = MergeTree ORDER BY {key}"
                )
            self._engine.execute(f"TRUNCATE TABLE {name}_next")
            if rows.num_rows:
                self._engine.insert(f"{name}_next", rows)
            self._engine.execute(f"EXCHANGE TABLES {name} AND {name}_next")


def points_of(site: Site) -> pa.Table:
    """One row a point: see POINTS. `equipment` is `<mine code>/<equipment>`, as events have it."""
    return pa.Table.from_pylist(
        [
            {
                "point": point.id,
                "path": point.path,
                "equipment": point.path.rpartition("/")[0],
                "name_zh": point.name.zh,
                "name_en": point.name.en,
                "unit": point.unit,
                "role": point.role,
                "kind": str(point.kind),
                "retention": str(point.retention),
                "low": point.low,
                "high": point.high,
                "silence_s": point.silence_s,
            }
            for point in site.points
        ],
        POINTS,
    )


def equipment_of(site: Site) -> pa.Table:
    """One row an equipment: see EQUIPMENT."""
    return pa.Table.from_pylist(
        [
            {
                "equipment": f"{site.code}/{each.id}",
                "name_zh": each.name.zh,
                "name_en": each.name.en,
                "template": each.template,
                "area": each.area,
            }
            for each in site.equipment.values()
        ],
        EQUIPMENT,
    )
