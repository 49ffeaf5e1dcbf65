"""Writing by MQTT: a command on one topic, and the value read back from another.

The options of a tag that can be written: `command`, the topic; `template`, the payload with {value} where
the value goes ({value} alone when it is not given); `read_back`, an address, the tag's own when it is not given.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace

from protocols.adapter import AdapterError, Tag, WriteRefused
from protocols.mqtt.address import AbsentError, find
from protocols.mqtt.binding import Binding
from protocols.mqtt.columns import Message
from protocols.mqtt.decode import convert
from protocols.mqtt.form import MalformedError
from protocols.mqtt.topic import check_pattern, is_topic, matches

PLACE = "{value}"


@dataclass(frozen=True, slots=True)
class Command:
    """Where and how a tag is written, and where it is seen that it was."""

    topic: str
    template: str
    answer: Binding
    type: str

    @staticmethod
    def of(tag: Tag) -> Command | None:
        """The command of a tag; None when it has none. Raises ValueError."""
        topic = str(tag.options.get("command", ""))
        if not topic:
            if extra := {"template", "read_back"} & set(tag.options):
                raise ValueError(
                    f"没有选项 command，选项 {min(extra)} 无意义 · "
                    f"the option {min(extra)} means nothing without the option command"
                )
            return None
        check_pattern(topic)
        if not is_topic(topic):
            raise ValueError(
                f"命令的主题 '{topic}' 中有通配符：命令只发往一个主题 · "
                f"the command's topic '{topic}' has a wildcard in it: a command goes to one topic"
            )
        template = str(tag.options.get("template", PLACE))
        if template.count(PLACE) != 1:
            raise ValueError(
                f"模板 '{template}' 中必须有 {PLACE}，且只有一处 · "
                f"the template '{template}' must have {PLACE} in it, once"
            )
        own = replace(tag, address=str(tag.options.get("read_back", tag.address)))
        return Command(topic, template, Binding.of(own), tag.type)

    def payload(self, value: float | str) -> bytes:
        """The command that asks for this value. Raises AdapterError when the type cannot hold it."""
        return self.template.replace(PLACE, self._written(value)).encode(self.answer.layout.form.encoding, "replace")

    def _written(self, value: float | str) -> str:
        if self.type == "text":
            return json.dumps(str(value), ensure_ascii=False)[1:-1]
        try:
            number = float(value)
        except ValueError:
            raise AdapterError(
                f"'{value}' 不是数，此测点只能是数 · '{value}' is not a number, and this point holds only numbers"
            ) from None
        if not math.isfinite(number):
            raise AdapterError(f"'{value}' 不是有限的数 · '{value}' is not a finite number")
        for word, meant in self.answer.extractor.words.items():
            if meant == number:
                return word
        if self.answer.extractor.words:
            raise AdapterError(
                f"{number:g} 在选项 words 中没有对应的词 · "
                f"{number:g} is none of the values that have a word in the option words"
            )
        if self.type == "bool":
            if number not in (0, 1):
                raise AdapterError(
                    f"{number:g} 既不是 1 也不是 0，此测点为 bool · "
                    f"{number:g} is neither 1 nor 0, and this point is a bool"
                )
            return "true" if number else "false"
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)

    def says(self, message: Message) -> float | str | None:
        """The value that a message gives back; None when it gives none."""
        if message.retained or not matches(self.answer.topic.split("/"), message.topic.split("/")):
            return None
        layout, extractor = self.answer.layout, self.answer.extractor
        try:
            document = layout.form.parse(message.payload)
            if layout.samples is not None:
                document = find(document, layout.samples)[-1]
            value, text = convert(find(document, extractor.steps), extractor)
        except (MalformedError, AbsentError, ValueError, LookupError, TypeError):
            return None
        return value if text is None else text

    def confirmed(self, asked: float | str, seen: float | str) -> bool:
        """Whether what came back is what was asked for."""
        if self.type == "text" or isinstance(seen, str):
            return str(asked) == seen
        return math.isclose(float(asked), seen, rel_tol=1e-6, abs_tol=1e-12)


def refused(tag: Tag) -> WriteRefused:
    """What is said of a tag that has no command."""
    return WriteRefused(
        f"{tag.path} 不能写入：其选项中没有命令的主题 command · "
        f"{tag.path} cannot be written: its options name no command topic"
    )
