"""What a tag asks of a message, compiled from its address and options: how the payload is written, where its
samples are, where their time is, and the way to the value in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocols.adapter import Tag
from protocols.mqtt.address import Each, Steps, parse_address, parse_path
from protocols.mqtt.clock import OPTIONS as CLOCK_OPTIONS
from protocols.mqtt.clock import Clock
from protocols.mqtt.form import Form

TYPES = ("", "number", "bool", "text", "number_text")
FORM_OPTIONS = frozenset({"format", "encoding", "separator", "header", "columnar"})
COMMAND_OPTIONS = frozenset({"command", "template", "read_back"})
OPTIONS = CLOCK_OPTIONS | FORM_OPTIONS | COMMAND_OPTIONS | {"samples", "words"}


class Extractor(NamedTuple):
    """One tag's way to its value within a sample. `words`: numbers for texts, as the device says them."""

    tag: int
    steps: Steps
    path: str
    type: str
    words: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """What tags of one message have in common. `samples` leads to the list of samples; None: the payload
    is one sample."""

    form: Form
    samples: Steps | None
    clock: Clock | None


@dataclass(frozen=True, slots=True)
class Binding:
    """`topic` is a subscription's pattern."""

    topic: str
    layout: Layout
    extractor: Extractor

    @staticmethod
    def of(tag: Tag) -> Binding:
        """Compile a tag. Raises ValueError in plain words."""
        address, options = parse_address(tag.address), tag.options
        if unknown := set(options) - OPTIONS:
            raise ValueError(
                f"没有选项 '{min(unknown)}'，有 {', '.join(sorted(OPTIONS))} · "
                f"the option '{min(unknown)}' is unknown; there are {', '.join(sorted(OPTIONS))}"
            )
        if tag.type not in TYPES:
            raise ValueError(
                f"没有类型 '{tag.type}'，有 {', '.join(filter(None, TYPES))}，或不写 · "
                f"the type '{tag.type}' is unknown; there are {', '.join(filter(None, TYPES))}, or nothing"
            )
        if tag.order:
            raise ValueError(
                f"MQTT 测点没有字节序，此处给出了 '{tag.order}' · "
                f"an MQTT point has no byte order, and '{tag.order}' is given"
            )
        form = Form.from_options(options)
        samples, steps = _samples(form, address.steps, options)
        clock = _clock(options, samples)
        kind = tag.type
        if form.format != "json" and kind in ("", "number"):
            kind = "number_text"  # nothing but text comes in these
        words = parse_words(options.get("words", {}))
        return Binding(
            address.topic, Layout(form, samples, clock), Extractor(tag.index, steps, address.path, kind, words)
        )


def _samples(form: Form, steps: Steps, options: Mapping[str, Any]) -> tuple[Steps | None, Steps]:
    """Where the samples are, and the rest of the way from each of them."""
    star = next((number for number, step in enumerate(steps) if isinstance(step, Each)), None)
    if form.format == "csv":
        if star is not None or "samples" in options:
            raise ValueError(
                "CSV 本来就是样本列表：只写列名，不写 [*] 或 samples · "
                "a CSV is a list of samples already: name the column alone, without [*] or samples"
            )
        return (), steps
    if "samples" in options:
        if star is not None:
            raise ValueError(
                "samples 与 [*] 作用相同，请只写其一 · samples and [*] say the same thing: give one of them"
            )
        return parse_path(str(options["samples"])), steps
    if star is None:
        return None, steps
    return steps[:star], steps[star + 1 :]


def _clock(options: Mapping[str, Any], samples: Steps | None) -> Clock | None:
    if "time" not in options:
        if extra := CLOCK_OPTIONS & set(options):
            raise ValueError(
                f"没有选项 time，{'、'.join(sorted(extra))} 无意义 · "
                f"{' and '.join(sorted(extra))} mean nothing without the option time"
            )
        return None
    written = str(options["time"])
    steps = parse_path(written)
    of_sample = samples is not None and not written.startswith("$")
    star = next((number for number, step in enumerate(steps) if isinstance(step, Each)), None)
    if star is not None:
        if samples is None or steps[:star] != samples:
            raise ValueError(
                f"时间 '{written}' 与值不在同一列表中 · the time '{written}' is not in the same list as the value"
            )
        steps, of_sample = steps[star + 1 :], True
    return Clock.from_options(options, steps, of_sample=of_sample)


def parse_words(given: Any) -> dict[str, float]:
    """`运行=1, 停止=0`, or such a mapping. Raises ValueError."""
    pairs = (
        given.items()
        if isinstance(given, Mapping)
        else (part.rpartition("=")[::2] for part in str(given).replace("，", ",").split(","))
    )
    words: dict[str, float] = {}
    for word, number in pairs:
        try:
            words[str(word).strip()] = float(number)
        except (TypeError, ValueError):
            raise ValueError(
                f"选项 words 中有 '{word}={number}'，请写作 word=number, word=number · "
                f"the option words has '{word}={number}': write word=number, word=number"
            ) from None
    return words
