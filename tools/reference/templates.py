"""docs/templates.md: every template of the library, and the roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from models import vocabulary
from models.site.library import LIBRARY
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import LimitFact, PointModel, Template
from tools.reference.markdown import WRITTEN, table

_CATEGORIES = {
    "transport": "运输 · Transport", "mining": "采煤 · Mining", "heading": "掘进 · Heading",
    "drainage": "排水 · Drainage", "ventilation": "通风与压风 · Ventilation and compressed air",
    "power": "供电 · Power", "network": "网络 · Network", "safety": "安全监测 · Safety", "other": "其他 · Other",
}  # fmt: skip


def page(library: Path = LIBRARY) -> str:
    """docs/templates.md."""
    templates = [_template(path) for path in sorted(library.glob("*.yaml"))]
    points = sum(len(template.points) for template in templates)
    lines = [
        "# 设备模板 · Templates", "", WRITTEN, "",
        f"{len(templates)} templates, {points} points. What each key of a template means: "
        "[models/library/README.md](../models/library/README.md). How a site uses them: [site.md](site.md).", "",
        "* **Range** is what the value can physically be: outside of it a value is kept and marked uncertain.",
        "* **Dead-band** and **silence**: a sample is sent when the value moved by more than the one, and at the "
        "latest after the other.", "* **§** is a statutory point: it travels first and is kept longest.",
        "* **Code** is the type in the national dictionary of sensors ([models/exchange/dictionaries/sensor_types.yaml]"
        "(../models/exchange/dictionaries/sensor_types.yaml)).",
        "* **?** behind a limit: a usual or second-hand figure. Each mine confirms it, or sets its own with "
        "`limits:` at the equipment.", "",
    ]  # fmt: skip
    for category, title in _CATEGORIES.items():
        members = [template for template in templates if template.category == category]
        if members:
            links = " · ".join(f"[{template.name.zh} {template.name.en}](#{template.id})" for template in members)
            lines += [f"**{title}**: {links}", ""]
    lines += ["[Roles 角色](#roles)", ""]
    for category in _CATEGORIES:
        for template in templates:
            if template.category == category:
                lines += _template_lines(template)
    lines += [
        '<a id="roles"></a>', "", "## 角色 · Roles", "",
        "What consoles, rules and figures bind to ([models/roles.yaml](../models/roles.yaml)). A point's unit may be "
        "another one of the same dimension.", "",
        *table(("Role", "中文", "English", "Kind", "Unit", "Means"), _role_rows()), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _template(path: Path) -> Template:
    problems = Problems()
    document = parse(path.read_text(encoding="utf-8"), path.name, problems)
    template = validate(Template, document.data, document, (), problems) if document else None
    if template is None:
        raise SiteErrors(problems.ordered())
    return template


def _template_lines(template: Template) -> Iterator[str]:
    yield from (f'<a id="{template.id}"></a>', "", f"## {template.name.zh} · {template.name.en} `{template.id}`", "")
    head = ("Point", "中文", "English", "Role", "Kind", "Unit", "Range", "Dead-band", "Silence, s", "Code", "Limits")
    yield from table(head, (_point_row(key, point) for key, point in template.points.items()))
    yield ""
    states: dict[str, list[str]] = {}
    for key, point in template.points.items():
        if point.states:
            words = ", ".join(f"{value} {names.zh} {names.en}" for value, names in point.states.items())
            states.setdefault(words, []).append(f"`{key}`")
    for words, keys in states.items():
        yield f"* {', '.join(keys)}: {words}"
    for name, chosen in template.limit_sets.items():
        limits = "; ".join(f"`{key}` {_limits(facts)}" for key, facts in chosen.points.items())
        yield f"* limit set `{name}`, {chosen.name.zh} {chosen.name.en}: {limits}"
    for kind, event in template.events.items():
        words = ", ".join(f"`{key}` {names.zh} {names.en}" for key, names in event.attributes.items())
        yield f"* event `{kind}`, {event.name.zh} {event.name.en}: {words}"
    for source, since in sorted(_sources(template)):
        yield f"* limits by {source}, since {since}"
    yield ""


def _point_row(key: str, point: PointModel) -> tuple[str, ...]:
    bounds = "" if point.low is None and point.high is None else f"{_number(point.low)} … {_number(point.high)}"
    statutory = " §" if point.retention == "statutory" else ""
    return (
        f"`{key}`{statutory}" + (" (writable)" if point.writable else ""), point.name.zh, point.name.en,
        f"`{point.role}`", point.kind.value, point.unit, bounds, _number(point.dead_band or None),
        f"{point.silence:g}", point.sensor_code, _limits(point.limits),
    )  # fmt: skip


def _limits(limits: Sequence[LimitFact]) -> str:
    words = []
    for limit in limits:
        restore = "" if limit.restore is None else f" (restore {limit.restore:g})"
        words.append(f"{limit.kind} {limit.value:g}{restore}{'' if limit.confirmed else ' ?'}")
    return ", ".join(words)


def _sources(template: Template) -> set[tuple[str, str]]:
    limits = [limit for point in template.points.values() for limit in point.limits]
    limits += [limit for chosen in template.limit_sets.values() for facts in chosen.points.values() for limit in facts]
    return {(limit.source, limit.effective_from.isoformat()) for limit in limits}


def _role_rows() -> Iterator[tuple[str, ...]]:
    for name, role in vocabulary.roles().items():
        yield f"`{name}`", role.name.zh, role.name.en, role.kind.value, role.unit, role.means


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
