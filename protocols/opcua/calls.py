"""Calling a method of the server, as the writing of a point.

A method without an argument is called by writing 1; one with a single argument gets the value. The
server's answer is final: a method may do something each time, so it is never called twice.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua

from protocols.adapter import AdapterError, WriteRefused
from protocols.opcua.address import UnknownNamespaceError, parse_call
from protocols.opcua.facts import property_path
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.status import name, words
from protocols.opcua.variant import to_variant, type_name


async def call(session: Session, address: str, kind: str, value: float | str) -> None:
    """Call the method. `kind` names the argument's type, "" for that which the server says. Raises
    WriteRefused when the server refuses or the method itself answers false, AdapterError for a value
    that does not fit, LinkLost."""
    try:
        owner, method = (part.node_id(session.namespaces) for part in parse_call(address))
        arguments = await _arguments(session, address, method)
        request = ua.CallMethodRequest()
        request.ObjectId, request.MethodId = owner, method
        request.InputArguments = _inputs(address, arguments, kind, value)
        result = (await session.ask(session.services.call([request])))[0]
    except UnknownNamespaceError as error:
        raise WriteRefused(str(error)) from None
    except ServiceRefusedError as error:
        raise WriteRefused(
            f"{session.where} 拒绝调用 {address}：{name(error.status)} · "
            f"{session.where} refuses to call {address}: {error}"
        ) from None
    if not result.StatusCode.is_good():
        wrong = [int(code.value) for code in result.InputArgumentResults or () if not code.is_good()]
        statuses = [int(result.StatusCode.value), *wrong]
        told, told_zh = "; ".join(map(words, statuses)), "、".join(map(name, statuses))
        raise WriteRefused(
            f"{session.where} 拒绝调用 {address}：{told_zh} · {session.where} refuses to call {address}: {told}"
        )
    outputs = result.OutputArguments or []
    if outputs and outputs[0].VariantType == ua.VariantType.Boolean and outputs[0].Value is False:
        raise WriteRefused(
            f"{session.where} 调用了 {address}，方法答复 false · "
            f"{session.where} called {address}, and the method answered false"
        )


def _inputs(address: str, arguments: list[Any], kind: str, value: float | str) -> list[Any]:
    if len(arguments) > 1:
        names = ", ".join(str(argument.Name) for argument in arguments)
        raise AdapterError(
            f"{address} 有 {len(arguments)} 个参数（{names}），测点只能给出一个 · "
            f"{address} takes {len(arguments)} arguments ({names}); a point can give only one"
        )
    if not arguments:
        if value != 1:
            raise AdapterError(
                f"{address} 没有参数：写入 1 即调用，不是 {value} · "
                f"{address} takes no argument: write 1 to call it, not {value}"
            )
        return []
    return [to_variant(value, kind or _type_of(address, arguments[0]))]


def _type_of(address: str, argument: Any) -> str:
    node = argument.DataType
    known = ua.ObjectIdNames.get(node.Identifier, "") if node.NamespaceIndex == 0 else ""
    try:
        if argument.ValueRank is not None and argument.ValueRank >= 0:
            raise ValueError("an array")
        return type_name(known)
    except ValueError:
        array = (argument.ValueRank or -1) >= 0
        what = f"{known or node.to_string()}{' as an array' if array else ''}"
        what_zh = f"{known or node.to_string()}{' 数组' if array else ''}"
        raise AdapterError(
            f"{address} 的参数 '{argument.Name}' 为 {what_zh}，不能写入 · "
            f"the argument '{argument.Name}' of {address} is {what}: that cannot be written"
        ) from None


async def _arguments(session: Session, address: str, method: Any) -> list[Any]:
    """The method's input arguments, as the server describes them."""
    path = property_path(method, "InputArguments")
    found = (await session.ask(session.services.translate_browsepaths_to_nodeids([path])))[0]
    if not found.StatusCode.is_good() or not found.Targets:
        if int(found.StatusCode.value) == ua.StatusCodes.BadNodeIdUnknown:
            raise WriteRefused(
                f"{session.where} 没有 {address}：{name(int(found.StatusCode.value))} · "
                f"{session.where} has no {address}: {words(int(found.StatusCode.value))}"
            )
        return []
    target = found.Targets[0].TargetId
    node = ua.NodeId(target.Identifier, target.NamespaceIndex)
    data = (await session.ask(session.services.read_attributes([node], ua.AttributeIds.Value)))[0]
    held = data.Value.Value if data.Value is not None else None
    # By its fields: what asyncua decodes and what it exports as `Argument` are two classes.
    return [argument for argument in held or [] if hasattr(argument, "ValueRank")]
