"""Expressions of ``$filter`` and ``$orderby`` as SQL, in which every value of the question is a parameter."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.core.sensorthings.expression import (
    COMPARISONS,
    PRODUCTS,
    SUMS,
    Binary,
    Call,
    Expression,
    Literal,
    Not,
    Path,
    moment_of,
)
from services.core.sensorthings.tokens import QueryNotValidError
from services.core.store.sensorthings.entities import SETS, EntitySet, Kind, Relation

_SIGNS = {
    "eq": "=",
    "ne": "<>",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "add": "+",
    "sub": "-",
    "mul": "*",
}


@dataclass(slots=True)
class Names:
    """Gives out the aliases of one statement and keeps its parameters."""

    parameters: dict[str, Any] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def alias(self) -> str:
        """A name that nothing in the statement has."""
        return f"t{next(self._numbers)}"

    def keep(self, value: Any) -> str:
        """The name of a new parameter with a value."""
        name = f"p{next(self._numbers)}"
        self.parameters[name] = value
        return name


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of SQL and what it yields; ``value`` is that of a literal text, which a moment may be meant by."""

    sql: str
    kind: Kind
    value: str | None = None


@dataclass(frozen=True, slots=True)
class _Function:
    """A function of the question: what it takes and yields, and how SQL says it."""

    takes: tuple[Kind, ...]
    yields: Kind
    sql: str


_FROM = "substr({0}, greatest({1}, 0)::integer + 1"
_T, _N, _M, _F = Kind.TEXT, Kind.NUMBER, Kind.MOMENT, Kind.FLAG


def _part(field_: str) -> _Function:
    return _Function((_M,), _N, f"extract({field_} from {{0}} at time zone 'UTC')::float8")


# OGC 18-088, table 18. Positions begin with 0 there and with 1 in SQL.
_FUNCTIONS: Mapping[tuple[str, int], _Function] = {
    ("substringof", 2): _Function((_T, _T), _F, "position({0} in {1}) > 0"),
    ("contains", 2): _Function((_T, _T), _F, "position({1} in {0}) > 0"),
    ("startswith", 2): _Function((_T, _T), _F, "starts_with({0}, {1})"),
    ("endswith", 2): _Function((_T, _T), _F, "right({0}, length({1})) = {1}"),
    ("length", 1): _Function((_T,), _N, "length({0})::float8"),
    ("indexof", 2): _Function((_T, _T), _N, "(position({1} in {0}) - 1)::float8"),
    ("substring", 2): _Function((_T, _N), _T, f"{_FROM})"),
    ("substring", 3): _Function((_T, _N, _N), _T, f"{_FROM}, greatest({{2}}, 0)::integer)"),
    ("tolower", 1): _Function((_T,), _T, "lower({0})"),
    ("toupper", 1): _Function((_T,), _T, "upper({0})"),
    ("trim", 1): _Function((_T,), _T, "btrim({0})"),
    ("concat", 2): _Function((_T, _T), _T, "({0} || {1})"),
    ("round", 1): _Function((_N,), _N, "round(({0})::numeric)::float8"),
    ("floor", 1): _Function((_N,), _N, "floor({0})"),
    ("ceiling", 1): _Function((_N,), _N, "ceiling({0})"),
    **{(name, 1): _part(name) for name in ("year", "month", "day", "hour", "minute")},
    ("second", 1): _Function((_M,), _N, "floor(extract(second from {0}))::float8"),
    ("fractionalseconds", 1): _Function((_M,), _N, "mod(extract(second from {0}), 1)::float8"),
    ("date", 1): _Function((_M,), _M, "(date_trunc('day', {0} at time zone 'UTC') at time zone 'UTC')"),
    ("now", 0): _Function((), _M, "now()"),
}


def condition(entities: EntitySet, alias: str, expression: Expression, names: Names) -> str:
    """What stands behind ``where`` for a filter.

    Raises:
        QueryNotValidError: a property or a function is unknown, or things of different kinds are put together.
    """
    return _Writer(entities, alias, names, "$filter").flag(expression)


def ordering(entities: EntitySet, alias: str, expression: Expression, names: Names) -> str:
    """What stands behind ``order by``.

    Raises:
        QueryNotValidError: as ``condition``.
    """
    term = _Writer(entities, alias, names, "$orderby").term(expression)
    if term.kind is Kind.NOTHING:
        raise QueryNotValidError("$orderby", "null orders nothing")
    return term.sql


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes expressions about the entities behind one alias."""

    entities: EntitySet
    alias: str
    names: Names
    option: str

    def wrong(self, reason: str) -> QueryNotValidError:
        return QueryNotValidError(self.option, reason)

    def flag(self, expression: Expression) -> str:
        term = self.term(expression)
        if term.kind is Kind.JSON:
            return f"({term.sql} = 'true'::jsonb)"
        if term.kind is not Kind.FLAG:
            raise self.wrong(f"expected something true or false, but found a {term.kind}")
        return f"({term.sql})"

    def term(self, expression: Expression) -> Term:  # noqa: PLR0911 - one for each kind of expression
        match expression:
            case Literal(value):
                return self._literal(value)
            case Path(parts):
                return self._path(parts)
            case Not(of):
                return Term(f"not {self.flag(of)}", Kind.FLAG)
            case Call():
                return self._call(expression)
            case Binary(operator, left, right) if operator in COMPARISONS:
                return self._comparison(operator, left, right)
            case Binary(operator, left, right) if operator in SUMS | PRODUCTS:
                return self._arithmetic(operator, left, right)
            case Binary(operator, left, right):
                return Term(f"({self.flag(left)} {operator} {self.flag(right)})", Kind.FLAG)

    def _literal(self, value: str | float | bool | datetime | None) -> Term:
        if value is None:
            return Term("null", Kind.NOTHING)
        kinds: Sequence[tuple[type, Kind, str]] = (
            (bool, Kind.FLAG, "boolean"),
            (str, Kind.TEXT, "text"),
            (float, Kind.NUMBER, "float8"),
            (datetime, Kind.MOMENT, "timestamptz"),
        )
        kind, type_ = next((kind, type_) for is_, kind, type_ in kinds if isinstance(value, is_))
        name = self.names.keep(value)
        return Term(f"%({name})s::{type_}", kind, value if isinstance(value, str) else None)

    def _path(self, parts: Sequence[str]) -> Term:
        first, rest = parts[0], parts[1:]
        relation = self.entities.relations.get(first)
        if relation is not None and rest:
            return self._through(relation, lambda far: far._path(rest), first)  # noqa: SLF001 - of our own kind
        if first in {"id", "@iot.id"} and not rest:
            return Term(f"{self.alias}.id", Kind.TEXT)
        if first not in self.entities.properties:
            raise self.wrong(f"{self.entities.name} have no property {first!r}")
        column, kind = self.entities.properties[first]
        if rest and kind is not Kind.JSON:
            raise self.wrong(f"{first} has no parts")
        inner = f" #> %({self.names.keep(list(rest))})s::text[]" if rest else ""
        return Term(f"({self.alias}.{column}{inner})", kind)

    def _through(self, relation: Relation, inner: "Callable[[_Writer], Term]", name: str) -> Term:
        if relation.is_many:
            raise self.wrong(f"{name} are many: compare one of their properties with a value")
        far = self._far(relation)
        term = inner(far)
        joined = relation.joins(self.alias, far.alias)
        return Term(f"(select {term.sql} from ({far.entities.source}) {far.alias} where {joined})", term.kind)

    def _far(self, relation: Relation) -> "_Writer":
        return _Writer(SETS[relation.target], self.names.alias(), self.names, self.option)

    def _call(self, call: Call) -> Term:
        function = _FUNCTIONS.get((call.name, len(call.arguments)))
        if function is None:
            raise self.wrong(f"there is no function {call.name} of {len(call.arguments)}")
        terms = [
            self._as(self.term(argument), kind) for argument, kind in zip(call.arguments, function.takes, strict=True)
        ]
        return Term(f"({function.sql.format(*terms)})", function.yields)

    def _arithmetic(self, operator: str, left: Expression, right: Expression) -> Term:
        first, second = (self._as(self.term(side), Kind.NUMBER) for side in (left, right))
        if operator == "div":
            return Term(f"({first} / nullif({second}, 0))", Kind.NUMBER)
        if operator == "mod":
            return Term(f"mod(({first})::numeric, nullif(({second})::numeric, 0))::float8", Kind.NUMBER)
        return Term(f"({first} {_SIGNS[operator]} {second})", Kind.NUMBER)

    def _comparison(self, operator: str, left: Expression, right: Expression) -> Term:
        for one, other, is_left in ((left, right, True), (right, left, False)):
            if isinstance(one, Path) and isinstance(other, Literal) and len(one.parts) > 1:
                relation = self.entities.relations.get(one.parts[0])
                if relation is not None and relation.is_many:
                    # True if it is so of one of them, as OData's `any` has it.
                    beyond = Path(one.parts[1:])
                    far = self._far(relation)
                    inner = far._comparison(operator, *((beyond, other) if is_left else (other, beyond)))  # noqa: SLF001
                    joined = relation.joins(self.alias, far.alias)
                    source = f"({far.entities.source}) {far.alias}"
                    return Term(f"exists (select from {source} where {joined} and {inner.sql})", Kind.FLAG)
        return self._compare(operator, self.term(left), self.term(right))

    def _compare(self, operator: str, left: Term, right: Term) -> Term:
        if Kind.NOTHING in {left.kind, right.kind}:
            if operator not in {"eq", "ne"}:
                raise self.wrong("null is only equal or not equal to something")
            other = left if right.kind is Kind.NOTHING else right
            is_null = "is null" if operator == "eq" else "is not null"
            known = f"nullif({other.sql}, 'null'::jsonb)" if other.kind is Kind.JSON else other.sql
            return Term(f"({known} {is_null})", Kind.FLAG)
        kind = self._common(left, right)
        first, second = self._as(left, kind), self._as(right, kind)
        return Term(f"({first} {_SIGNS[operator]} {second})", Kind.FLAG)

    def _common(self, left: Term, right: Term) -> Kind:
        """As what two terms are compared: what a free property holds counts as what it is compared with."""
        if left.kind is Kind.JSON:
            return right.kind
        if right.kind is Kind.JSON or right.value is None:
            return left.kind
        return left.kind if left.value is None else right.kind

    def _as(self, term: Term, kind: Kind) -> str:
        """SQL that yields a term as a kind."""
        if term.kind is kind:
            return term.sql
        if term.kind is Kind.JSON:
            return self._of_json(term.sql, kind)
        if term.value is not None and kind is Kind.MOMENT:
            name = self.names.keep(moment_of(term.value, self.option).astimezone(UTC))
            return f"%({name})s::timestamptz"
        raise self.wrong(f"expected a {kind}, but found a {term.kind}")

    def _of_json(self, sql: str, kind: Kind) -> str:
        if kind is Kind.TEXT:
            return f"({sql} #>> '{{}}')"
        of = {Kind.NUMBER: ("number", "float8"), Kind.FLAG: ("boolean", "boolean")}
        if kind not in of:
            raise self.wrong(f"a free property is not compared with a {kind}")
        name, type_ = of[kind]
        return f"(case when jsonb_typeof({sql}) = '{name}' then ({sql} #>> '{{}}')::{type_} end)"
