"""What decided, in words, by the clock of the mine."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from models.site.model import Name, Point, Site
from models.thing import CONTROL_MODES
from models.utilisation.witness import Event, Missing, Moves, Value, Witness
from models.vocabulary import roles

CONTROL_MODE = "control.mode"


def told(witness: Witness, site: Site, asked_at: int) -> Name:
    """One witness in words; where it was looked at at another time than was asked, that is said."""
    match witness:
        case Value():
            words = _value(witness, site)
        case Missing():
            role = roles()[witness.role].name
            return Name(f"本矿没有“{role.zh}”测点", f"the site has no point of the {role.en}")
        case Moves():
            words = _moves(witness)
        case Event():
            has, had = ("有", "there was") if witness.lasted else ("没有", "there was no")
            words = Name(f"{has} {witness.kind} 记录", f"{had} record of a {witness.kind}")
    if witness.at == asked_at:
        return words
    at = clock(witness.at, site)
    return Name(f"{at} 时{words.zh}", f"at {at} {words.en}")


def clock(us: int, site: Site) -> str:
    """The time of day at the mine, to the second."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).astimezone(ZoneInfo(site.time_zone)).strftime("%H:%M:%S")


def _value(value: Value, site: Site) -> Name:
    point = value.point
    machine = site.equipment.get(point.equipment.rpartition("/")[2])
    zh = f"{machine.name.zh if machine else point.equipment} {point.name.zh}"
    en = f"{machine.name.en if machine else point.equipment} {point.name.en}"
    if value.told_at is None:
        return Name(f"{zh} 一直没有数据", f"{en} told nothing")
    last = clock(value.told_at, site)
    since = "" if value.since is None else clock(value.since, site)
    zh_since = f"（自 {since} 起）" if not value.from_start else f"（至少自 {since} 起）"
    en_since = f"since {since}" if not value.from_start else f"since {since} at least"
    if value.value is None:
        if not value.good:
            return Name(f"{zh} 数据质量不好{zh_since}", f"{en} has not been good {en_since}")
        silent, hold = (value.at - value.told_at) / 1e6, value.hold_us / 1e6
        return Name(
            f"{zh} 已 {silent:.0f} 秒没有数据（上次 {last}，有效 {hold:g} 秒）",
            f"{en} had told nothing for {silent:.0f} s (last at {last}, which held for {hold:g} s)",
        )
    shown = _shown(point, value.value)
    if value.entered:
        zh, en = f"{zh}（人工录入）", f"{en} (entered by a person)"
    if value.level is None:
        return Name(f"{zh} = {shown.zh}{zh_since}", f"{en} = {shown.en} {en_since}")
    level = f"{value.level:g} {point.unit}".strip()
    zh_over, en_over = ("超过", "over") if value.holds else ("未超过", "not over")
    return Name(f"{zh} = {shown.zh}，{zh_over} {level}{zh_since}", f"{en} = {shown.en}, {en_over} {level} {en_since}")


def _shown(point: Point, value: float) -> Name:
    names = point.states or (CONTROL_MODES if point.role == CONTROL_MODE else {})
    if value.is_integer() and (state := names.get(int(value))) is not None:
        return Name(f"{state.zh}（{value:g}）", f"{state.en} ({value:g})")
    number = f"{value:.4g} {point.unit}".strip()
    return Name(number, number)


def _moves(moves: Moves) -> Name:
    if moves.count < moves.least:
        return Name(
            f"采煤机附近仅 {moves.count} 次移架，少于 {moves.least} 次，不作判断",
            f"only {moves.count} moves of supports near the shearer, under {moves.least}: too few to judge",
        )
    part = f"{moves.automatic / moves.count:.0%}"
    unsure = (
        Name(
            f"；另可能有至多 {moves.unsure} 次移架因数据中断无法确知",
            f"; up to {moves.unsure} more are not known, as data were lost",
        )
        if moves.unsure
        else Name("", "")
    )
    return Name(
        f"采煤机附近最近 {moves.count} 次移架中自动跟机 {moves.automatic} 次（{part}），应不少于 {moves.share:.0%}"
        f"{unsure.zh}",
        f"of the last {moves.count} moves of supports near the shearer {moves.automatic} followed by themselves "
        f"({part}); {moves.share:.0%} are asked for{unsure.en}",
    )
