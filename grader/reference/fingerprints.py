"""A fingerprint of what code computes, the same however it is laid out and on Python 3.11, 3.12 and 3.13.

    definitions(text, is_ours)["accuracy"]     the fingerprint of one definition at the top of a file
    combined(definitions)                      of several, whatever file each is in and in whatever order

It does not depend on comments, docstrings, formatting, imports, the message of an exception or an assertion,
annotations of functions and variables (those of a class's fields count: models check values by them), nor on
which of our modules a definition is in. A name that is imported counts as what it stands for: `np.zeros` is
numpy.zeros, and a definition of ours goes by its own name, however it is imported.

The walk over the syntax tree is our own: `ast.dump` and `ast.unparse` change from one Python to the next.
Only the standard library is imported.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

# Fields that do not bear on what is computed. `annotation` and `returns` are those of functions and their
# arguments; an AnnAssign is treated on its own.
_IGNORED = {"annotation", "ctx", "kind", "returns", "type_comment", "type_ignores"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_Origins = Mapping[str, str]  # what an imported name stands for: {"np": "numpy"}


def definitions(text: str, is_ours: Callable[[str], bool] = lambda _: False) -> dict[str, str]:
    """The fingerprint of every definition at the top of a file, by its name.

    Names that are assigned at once are one definition: "low, high". Statements that define nothing are
    together under the empty name, in their order; a block that only runs as a script is left out.

    Args:
        text: the source.
        is_ours: whether a dotted name is a module of this checkout.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(text)
    walk = _Walk(_imported(tree), is_ours)
    found: dict[str, list[object]] = {}
    for statement in tree.body:
        if _runs_as_script_or_for_types(statement):
            continue
        for code in walk.statements([statement]):
            found.setdefault(", ".join(_names(statement)), []).append(code)
    found.pop("__all__", None)
    return {name: _digest([name, code]) for name, code in found.items()}


def combined(found: Iterable[tuple[str, str]]) -> str:
    """One fingerprint of definitions, each a name and its fingerprint; their order means nothing."""
    return _digest(sorted(found))


def names(definition: str) -> list[str]:
    """What a definition defines: a function, a class, or the names that are assigned at once."""
    return definition.split(", ")


def constant(text: str, name: str) -> int | None:
    """The whole number that is assigned to a name at the top of a file; None if there is no such line."""
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and _names(statement) == [name]:
            value = statement.value
            if isinstance(value, ast.Constant) and type(value.value) is int:
                return value.value
    return None


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode("ascii")).hexdigest()


def _names(statement: ast.stmt) -> list[str]:
    """What a statement defines; nothing for a statement such as a call."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            nodes = [node for target in targets for node in ast.walk(target)]
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            nodes = list(ast.walk(target))
        case _:
            return []
    return [node.id for node in nodes if isinstance(node, ast.Name)]


def _runs_as_script_or_for_types(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":` or `if TYPE_CHECKING:`."""
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__")) | ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return True
    return False


def _imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, wherever in the file it is imported."""
    origins: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                origins.setdefault(name, set()).add(alias.name if alias.asname else name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = "." * node.level + (node.module or "")
                origins.setdefault(alias.asname or alias.name, set()).add(f"{module}.{alias.name}")
    return {name: " or ".join(sorted(every)) for name, every in origins.items()}


class _Walk:
    """What a syntax tree computes, as nested lists that JSON can hold."""

    def __init__(self, origins: _Origins, is_ours: Callable[[str], bool]) -> None:
        self._origins, self._is_ours = origins, is_ours

    def statements(self, body: Iterable[ast.stmt], *, in_class: bool = False) -> list[object]:
        """Those that do anything: no imports, no docstrings, no `pass`, no declarations."""
        return [
            self._annotated(statement, in_class)
            if isinstance(statement, ast.AnnAssign)
            else self._node(statement)
            for statement in body
            if not isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)
            and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            and not (isinstance(statement, ast.AnnAssign) and statement.value is None and not in_class)
        ]

    def _annotated(self, node: ast.AnnAssign, in_class: bool) -> object:
        """In a class an annotation makes a field, and says what the field may hold."""
        value = ["value", self._value(node.value)]
        if in_class:
            return ["AnnAssign", self._node(node.target), self._node(node.annotation), value]
        return ["Assign", ["targets", [self._node(node.target)]], value]

    def _node(self, node: ast.AST) -> object:
        match node:
            case ast.Constant(value=value):
                return ["Constant", type(value).__name__, ascii(value)]
            case ast.JoinedStr(values=values):
                return ["JoinedStr", self._pieces(values)]
            case ast.Raise(exc=ast.Call(func=kind)):  # its message is no result
                return ["Raise", self._node(kind)]
            case ast.Assert(test=test):
                return ["Assert", self._node(test)]
            case ast.Name(ctx=ast.Load()) | ast.Attribute():  # a name that is assigned to is no import's
                if (origin := self._origin(node)) is not None:
                    return self._resolved(origin)
            case _ if isinstance(node, _FUNCTIONS):
                return _Walk(self._without(node), self._is_ours)._fields(node)
        return self._fields(node)

    def _fields(self, node: ast.AST) -> object:
        code: list[object] = [type(node).__name__]
        for field in sorted(node._fields):
            value = getattr(node, field, None)
            if field in _IGNORED or value is None or value == []:
                continue
            if field in ("body", "orelse", "finalbody") and isinstance(value, list):
                value = self.statements(value, in_class=isinstance(node, ast.ClassDef))
                if value:
                    code.append([field, value])
            else:
                code.append([field, self._value(value)])
        return code

    def _value(self, value: object) -> object:
        if isinstance(value, ast.AST):
            return self._node(value)
        if isinstance(value, list):
            return [self._value(one) for one in value]
        assert value is None or isinstance(value, str | int), f"a field of {type(value)}"
        return value

    def _pieces(self, values: Iterable[ast.expr]) -> list[object]:
        """The pieces of an f-string: how text is cut up between the braces differs from Python to Python."""
        pieces: list[object] = []
        text = ""
        for value in values:
            if isinstance(value, ast.Constant):
                text += str(value.value)
                continue
            if text:
                pieces.append(ascii(text))
                text = ""
            assert isinstance(value, ast.FormattedValue)
            how = (
                self._pieces(value.format_spec.values) if isinstance(value.format_spec, ast.JoinedStr) else []
            )
            pieces.append([self._node(value.value), value.conversion, how])
        return [*pieces, ascii(text)] if text else pieces

    def _origin(self, node: ast.AST) -> str | None:
        """The full dotted name that a name or an attribute of one stands for; None if it is not imported."""
        if isinstance(node, ast.Name):
            return self._origins.get(node.id)
        if isinstance(node, ast.Attribute) and (before := self._origin(node.value)) is not None:
            return f"{before}.{node.attr}"
        return None

    def _resolved(self, origin: str) -> object:
        """Others' by the full name; ours by its own, so that `module.f` is `f`, as where it is defined."""
        parts = origin.split(".")
        ours = 0
        while ours < len(parts) and self._is_ours(".".join(parts[: ours + 1])):
            ours += 1
        code: object = ["Name", ["id", parts[min(ours, len(parts) - 1)] if ours else origin]]
        for attribute in parts[ours + 1 :] if ours else ():
            code = ["Attribute", ["value", code], ["attr", attribute]]
        return code

    def _without(self, function: ast.AST) -> _Origins:
        """The imported names less those that the function binds itself, as arguments or by assignment."""
        bound = set(_bound(function))
        return {name: origin for name, origin in self._origins.items() if name not in bound}


def _bound(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
