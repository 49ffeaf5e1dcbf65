"""A foreign table, CSV or XLSX with any headings → rows of a point table, each mistake at its cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.site import tables
from models.site.foreign import addresses, cells
from models.site.foreign.points import Points
from models.site.foreign.words import Words
from models.site.model import Kind
from models.site.problems import Problems
from models.thing import Template

HEADING_WITHIN = 30
"""Rows in which the headings are looked for: titles and remarks stand above them."""
MAX_ROWS = 200_000
HELPERS = frozenset({"function", "table", "bit", "unit_id"})
"""Columns that are part of an address and no columns of a point table."""


@dataclass(frozen=True, slots=True)
class How:
    """What the importer was told. `templates`: of each equipment of the site; `template` that of `equipment`, which
    rows without one get; `table` and `first`: for addresses that do not say it. `adapters`: of each connection;
    `takes`: whether an adapter takes an address as it is written."""

    words: Words
    templates: Mapping[str, Template]
    equipment: str = ""
    template: Template | None = None
    connection: str = ""
    group: str = ""
    table: str = ""
    first: int = 0
    adapters: Mapping[str, str] = field(default_factory=dict)
    takes: Callable[[str, str], bool] = lambda adapter, address: False
    skip_unknown: bool = False


@dataclass(slots=True)
class Row:
    """One row: `values` by column of a point table; `cells` says where each was read."""

    file: str
    first_cell: str
    values: dict[str, Any]
    cells: dict[str, str] = field(default_factory=dict)

    def where(self, column: str) -> str:
        return self.cells.get(column, self.first_cell)

    @property
    def key(self) -> tuple[str, str]:
        return str(self.values["equipment"]), str(self.values["point"])


@dataclass(slots=True)
class Found:
    """What was read. `skipped`: rows of points that the template does not have; `unused`: headings nobody knows."""

    rows: list[Row] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def read(data: bytes, suffix: str, file: str, how: How, problems: Problems) -> Found:
    """The rows of the file; what is wrong goes to the problems."""
    found = Found()
    headed = False
    for sheet, records in tables.grids(data, suffix, file, problems):
        headed |= _Sheet(file, sheet, how, problems, found).read(records)
    if not headed and not problems.count:
        problems.add(
            file,
            "",
            f"前 {HEADING_WITHIN} 行中没有表头：至少要有测点和地址两列，列名可写入映射文件的 columns · "
            f"no headings in the first {HEADING_WITHIN} rows: a point and an address column at least; "
            "other headings go under columns: of the mapping file",
        )
    _twice(found, problems)
    return found


def _twice(found: Found, problems: Problems) -> None:
    seen: dict[tuple[str, str], Row] = {}
    for row in found.rows:
        other = seen.setdefault(row.key, row)
        if other is not row:
            problems.add(
                row.file,
                row.where("point"),
                f"测点 {'/'.join(row.key)} 出现两次，前一次在 {other.where('point')} · "
                f"the point {'/'.join(row.key)} is here twice, first at {other.where('point')}",
            )


class _Sheet:
    def __init__(self, file: str, sheet: str, how: How, problems: Problems, found: Found) -> None:
        self._file, self._sheet, self._how = file, sheet, how
        self._problems, self._found = problems, found
        self._points: dict[str, Points] = {}
        if how.equipment and how.template is not None:
            self._points[how.equipment] = Points(how.template, how.words)

    def read(self, records: Iterable[Sequence[Any]]) -> bool:
        columns: dict[int, str] | None = None
        for number, record in enumerate(records, 1):
            if number > MAX_ROWS:
                self._wrong(f"A{number}", f"超过 {MAX_ROWS} 行 · more than {MAX_ROWS} rows")
                break
            if columns is None:
                columns = self._headings(record, number)
                if columns is None and number >= HEADING_WITHIN:
                    break
            elif any(cell not in (None, "") for cell in record):
                self._row(record, number, columns)
        return columns is not None

    def _headings(self, record: Sequence[Any], number: int) -> dict[int, str] | None:
        """The columns, if this row is that of the headings: it has an address, and a point or a name."""
        found: dict[int, str] = {}
        strange = []
        for index, cell in enumerate(record):
            if cell in (None, ""):
                continue
            title = str(cell).strip()
            known = title if title in tables.COLUMNS else self._how.words.find("columns", title)
            if known is None:
                strange.append(title)
            elif known not in found.values():
                found[index] = known
            else:
                strange.append(title)
        names = set(found.values())
        if "address" not in names or not names & {"point", "name_zh", "name_en"}:
            return None
        self._found.unused += [title for title in strange if title not in self._found.unused]
        return found

    def _row(self, record: Sequence[Any], number: int, columns: Mapping[int, str]) -> None:
        said: dict[str, Any] = {}
        where: dict[str, str] = {}
        for index, column in columns.items():
            cell = record[index] if index < len(record) else None
            if isinstance(cell, str):
                cell = cell.strip()
            elif isinstance(cell, float) and cell.is_integer():
                cell = int(cell)
            if cell in (None, ""):
                continue
            said[column], where[column] = cell, f"{self._sheet}{tables.letter(index)}{number}"
        first = str(next((cell for cell in record if cell not in (None, "")), ""))
        if first.startswith("#") or not ({"address", "point"} & said.keys()):
            return  # a remark, or a line between two parts of the table
        row = Row(self._file, f"{self._sheet}A{number}", {}, where)
        before = self._problems.count
        known = self._name(said, row)
        if known:
            self._meaning(said, row)
            self._rest(said, row)
        if known and self._problems.count == before:
            self._found.rows.append(row)

    def _name(self, said: dict[str, Any], row: Row) -> bool:
        """Equipment and point; False when the row is to be left out."""
        equipment = str(said.pop("equipment", "") or self._how.equipment)
        if self._how.equipment and equipment not in self._how.templates:
            equipment = self._how.equipment  # the vendor's own name of the one machine that is imported
        if not equipment:
            self._wrong(
                row.first_cell, "没有设备：加设备列或用 --equipment · no equipment: add a column or --equipment"
            )
            return False
        points = self._points.get(equipment)
        if points is None:
            template = self._how.templates.get(equipment)
            if template is None:
                self._wrong(row.where("equipment"), f"没有设备 '{equipment}' · there is no equipment '{equipment}'")
                return False
            points = self._points[equipment] = Points(template, self._how.words)
        named = "point" in said
        name = str(said.pop("point", "") or said.get("name_zh", "") or said.get("name_en", ""))
        if not name:
            self._wrong(row.where("point"), "测点名为空 · the point has no name")
            return False
        try:
            key = points.find(name)
        except LookupError as error:
            if self._how.skip_unknown:
                self._found.skipped.append(f"{row.where('point')} {name}")
            else:
                self._wrong(row.where("point" if named else "name_zh"), str(error.args[0]))
            return False
        row.values |= {"equipment": equipment, "point": key}
        return True

    def _meaning(self, said: dict[str, Any], row: Row) -> None:
        """Address, type and order, which say things of each other."""
        how, words = self._how, self._how.words
        adapter = how.adapters.get(str(said.get("connection", "") or how.connection), "")
        written = said.pop("address", "")
        address = str(written)
        if adapter == "modbus" and isinstance(written, float) and address.endswith(".1"):
            # A workbook holds both as one number; only of these two bits, as there are no more than sixteen.
            self._wrong(
                row.where("address"),
                f"{address} 存为数字，分不清是第 1 位还是第 10 位：写 {address[:-2]}.01，"
                f"或以文本写 {address[:-2]}.10 · {address} is stored as a number and may be bit 1 or bit 10: "
                f"write {address[:-2]}.01, or {address[:-2]}.10 as text",
            )
        if not address:
            self._wrong(row.where("address"), "地址为空 · the address is empty")
        if adapter != "modbus":
            # Other protocols describe themselves: their addresses and types are taken as they are written.
            row.values["address"] = address
            row.values.update((name, said.pop(name)) for name in ("type", "order") if name in said)
            return
        # Where the row says which table it means, a number of five digits may be one on the wire after all.
        says = bool(how.table or {"table", "function"} & said.keys())
        ours = (":" in address or not says) and how.takes(adapter, address)
        row.values["address"] = address if ours else self._address(address, said, row)
        if "type" in said:
            found = self._try(row, "type", lambda value: cells.kind(value, words), said.pop("type"))
            if found:
                row.values |= {"type": found[0], "order": found[1]}
        if "order" in said:
            row.values["order"] = self._try(row, "order", lambda value: cells.order(value, words), said.pop("order"))
        front, _, number = str(row.values["address"]).partition(":")
        if not ours and (front[-2:] in ("co", "di") or "." in number):
            self._bit(row)

    def _bit(self, row: Row) -> None:
        """A single bit has no type but its own, even where the table gives that of its word. Where the table says that
        the point is a number, one of the two is wrong, and the bit would be taken for the number."""
        place, kind = row.values["address"], str(row.values.get("type") or "")
        means = self._points[row.values["equipment"]].kind(row.values["point"])
        if kind not in ("", "bool", "int16", "uint16"):
            self._wrong(
                row.where("type"),
                f"{place} 只有一个位，类型却是 {kind}：请核对地址和功能码 · "
                f"{place} is a single bit, and its type is {kind}: set address, function code or type right",
            )
        elif means in (Kind.ANALOG, Kind.COUNTER):
            self._wrong(
                row.where("address"),
                f"{place} 只有一个位，而 {row.values['point']} 是数值：请核对地址和功能码 · "
                f"{place} is a single bit, and {row.values['point']} is a number: set address or function code right",
            )
        row.values |= {"type": "", "order": ""}

    def _address(self, address: str, said: dict[str, Any], row: Row) -> str | None:
        how = self._how
        table = how.table
        for column in ("table", "function"):
            if column in said:
                table = self._try(row, column, lambda value: cells.table(value, how.words), said[column]) or table
        bit, unit = str(said.get("bit", "")), str(said.get("unit_id", ""))
        found: str | None = self._try(
            row, "address", lambda text: addresses.translate(text, table, how.first, bit, unit), address
        )
        return found

    def _rest(self, said: dict[str, Any], row: Row) -> None:
        row.values["connection"] = said.pop("connection", "") or self._how.connection
        row.values["group"] = said.pop("group", "") or self._how.group
        for column, value in said.items():
            if column in HELPERS:
                continue
            if column in ("scale", "offset", "low", "high", "dead_band"):
                row.values[column] = self._try(row, column, cells.number, value)
            elif column == "unit":
                row.values[column] = cells.unit(value, self._how.words)
            elif column == "options":
                row.values[column] = self._try(row, column, lambda text: tables.options(str(text)), value)
            else:
                row.values[column] = value
        row.values = {key: value for key, value in row.values.items() if value not in (None, "")}

    def _try(self, row: Row, column: str, convert: Any, value: Any) -> Any:
        try:
            return convert(value)
        except ValueError as error:
            self._wrong(row.where(column), str(error))
            return None

    def _wrong(self, where: str, message: str) -> None:
        self._problems.add(self._file, where, message)
