"""What pydantic finds wrong with a parameter, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "missing": "缺少该参数",
    "extra_forbidden": "没有这个参数",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "finite_number": "应为有限的数",
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "string_type": "应为文本",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_attributes_type": "应为对象",
    "json_invalid": "不是有效的 JSON",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "enum": "应为其中之一：{expected}",
    "literal_error": "应为其中之一：{expected}",
    "string_pattern_mismatch": "格式不符",
    "invisible": "第 {place} 个字符（{sign}）看不见：请删去，或重新输入而不是粘贴",
}


def in_chinese(error: Mapping[str, Any]) -> str:
    """One finding; for a kind that has no words here, that the value is not right."""
    words = _WORDS.get(str(error["type"]), "取值有误")
    try:
        return words.format(**error.get("ctx") or {}).replace(" or ", " 或 ")
    except (KeyError, IndexError):
        return "取值有误"
