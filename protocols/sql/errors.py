"""A database's errors in plain words: the user, the view, a column, a right and a time-out told apart."""

from __future__ import annotations

from protocols.adapter import LinkLost, SignInRefused

# What each cause is known by (SQLSTATE, MySQL's number, or words), and what is said then. A refused
# sign-in has neither number nor state with some drivers, and a server may speak Chinese.
_CAUSES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("42P01", "1146", "no such table"),
        "{where} 没有 {source}，名称及其模式（schema）是否正确？{words} · "
        "{where} has no {source}: is the name right, with its schema? {words}",
    ),
    (("42703", "1054", "no such column"), "{source} 没有此列：{words} · {source} has no such column: {words}"),
    (
        ("42501", "1142", "permission denied", "权限不够"),
        "此用户无权读取 {source}，请授予 SELECT 权限。{words} · "
        "this user may not read {source}: GRANT SELECT on it. {words}",
    ),
    (
        ("57014", "3024", "canceling statement"),
        "{where} 未及时应答，键列有索引吗？{words} · {where} did not answer in time: has the key an index? {words}",
    ),
    (("3D000", "1049"), "{where}：没有此数据库。{words} · {where}: there is no such database. {words}"),
)
_OTHER = "{where}：数据库出错：{words} · {where}: {words}"
_SIGN_IN = ("28P01", "28000", "1045", "password authentication failed", "认证失败", "no pg_hba.conf entry")


def _known(signs: tuple[str, ...], state: str, words: str) -> bool:
    return state in signs or any(sign in words for sign in signs if " " in sign or not sign.isascii())


def explain(error: Exception, where: str, source: str) -> LinkLost:
    """The error of an answer or of connecting, as what can be raised. `where`: the database without its
    password; `source`: the view."""
    original = getattr(error, "orig", None) or error
    arguments = getattr(original, "args", ())
    state = str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
    if not state and arguments and isinstance(arguments[0], int):
        state = str(arguments[0])
    words = " ".join(str(original).split())[:300] or type(original).__name__
    if _known(_SIGN_IN, state, words):
        return SignInRefused(f"{where} 拒绝了用户或密码：{words} · {where} refused the user or the password: {words}")
    said = next((said for signs, said in _CAUSES if _known(signs, state, words)), _OTHER)
    return LinkLost(said.format(where=where, source=source, words=words))
