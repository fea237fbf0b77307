"""DynamoDB's expressions, compiled to functions: conditions, filters, key conditions and updates.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

Item = Mapping[str, dict[str, Any]]
Value = dict[str, Any] | None


class Scope(NamedTuple):
    """What an expression may refer to: the item, and the names and values that came with it."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, dict[str, Any]]


Condition = Callable[[Scope], bool]
Operand = Callable[[Scope], Value]
Assignment = tuple[str, Operand]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),+]|-(?![\w])|[#:]?[A-Za-z_]\w*)")
_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@cache
def condition(text: str) -> Condition:
    """The condition `text`, as a function of the scope. Raises ValueError for what this module does not know."""
    parser = _Parser(text)
    parsed = parser.disjunction()
    parser.expect_end()
    return parsed


@cache
def hash_condition(text: str) -> tuple[str, str]:
    """The name and the value's placeholder of the partition key, which a key condition gives first."""
    name, sign, value = _TOKEN.findall(text)[:3]
    if sign != "=":
        raise ValueError(f"a key condition begins with the partition key: {text}")
    return name, value


@cache
def update(text: str) -> tuple[tuple[Assignment, ...], tuple[str, ...]]:
    """The assignments of the clause SET, and the names in the clause REMOVE."""
    parser = _Parser(text)
    assignments: list[Assignment] = []
    removed: list[str] = []
    while parser.token:
        match parser.take():
            case "SET":
                assignments += parser.list_of(parser.assignment)
            case "REMOVE":
                removed += parser.list_of(parser.take)
            case clause:
                raise ValueError(f"unknown clause {clause!r} in {text}")
    return tuple(assignments), tuple(removed)


def attribute(name: str, names: Mapping[str, str]) -> str:
    return names[name] if name.startswith("#") else name


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s", "", text):
            raise ValueError(f"unreadable expression: {text}")
        self._position = 0

    @property
    def token(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def take(self) -> str:
        token = self.token
        self._position += 1
        return token

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ValueError(f"{token!r} is missing in {self._text}")

    def expect_end(self) -> None:
        if self.token:
            raise ValueError(f"unknown {self.token!r} in {self._text}")

    def list_of(self, parse: Callable[[], Any]) -> list[Any]:
        parsed = [parse()]
        while self.token == ",":
            self.take()
            parsed.append(parse())
        return parsed

    def disjunction(self) -> Condition:
        parts = [self.conjunction()]
        while self.token == "OR":
            self.take()
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)

    def conjunction(self) -> Condition:
        parts = [self.negation()]
        while self.token == "AND":
            self.take()
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)

    def negation(self) -> Condition:
        if self.token == "NOT":
            self.take()
            negated = self.negation()
            return lambda scope: not negated(scope)
        if self.token == "(":
            self.take()
            inner = self.disjunction()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        if self.token in ("attribute_exists", "attribute_not_exists"):
            exists = self.take() == "attribute_exists"
            self.expect("(")
            path = self.operand()
            self.expect(")")
            return lambda scope: (path(scope) is not None) is exists
        if self.token == "begins_with":
            self.take()
            self.expect("(")
            text, prefix = self.list_of(self.operand)
            self.expect(")")
            return lambda scope: str(_plain(text(scope))).startswith(str(_plain(prefix(scope))))
        left = self.operand()
        sign = self.take()
        if sign == "BETWEEN":
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            return lambda scope: _compare("<=", low(scope), left(scope)) and _compare("<=", left(scope), high(scope))
        right = self.operand()
        return lambda scope: _compare(sign, left(scope), right(scope))

    def operand(self) -> Operand:
        token = self.take()
        if token.startswith(":"):
            return lambda scope: scope.values[token]
        if token == "size":
            self.expect("(")
            path = self.operand()
            self.expect(")")
            return lambda scope: _size(path(scope))
        if token == "list_append":
            self.expect("(")
            first, second = self.list_of(self.operand)
            self.expect(")")
            return lambda scope: {"L": [*_entries(first(scope)), *_entries(second(scope))]}
        if token == "if_not_exists":
            self.expect("(")
            path, default = self.list_of(self.operand)
            self.expect(")")
            return lambda scope: default(scope) if path(scope) is None else path(scope)
        if not re.fullmatch(r"#?\w+", token):
            raise ValueError(f"unknown operand {token!r} in {self._text}")
        return lambda scope: scope.item.get(attribute(token, scope.names))

    def assignment(self) -> Assignment:
        name = self.take()
        self.expect("=")
        value = self.operand()
        if self.token == "+":
            self.take()
            first, second = value, self.operand()
            return name, lambda scope: {"N": str(_plain(first(scope)) + _plain(second(scope)))}
        return name, value


def _compare(sign: str, left: Value, right: Value) -> bool:
    if left is None or right is None:
        return False
    if sign == "=":
        return left == right
    if sign == "<>":
        return left != right
    return left.keys() == right.keys() and _COMPARATORS[sign](_plain(left), _plain(right))


def _plain(value: Value) -> Any:  # noqa: ANN401  a text, a number or a list
    ((type_name, plain),) = (value or {"S": ""}).items()
    return int(plain) if type_name == "N" else plain


def _size(value: Value) -> Value:
    return None if value is None else {"N": str(len(next(iter(value.values()))))}


def _entries(value: Value) -> list[Any]:
    return list((value or {"L": []})["L"])
