"""Any value of any frozen document, by its types: what a report must be able to draw."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
from hypothesis import strategies as st

WORDS = ("<script>x</script>", "[bold]", "a|b", "two\nlines", "\x1b[31m", "\u202eevil", "`", "@all", "", "{x}", "$x")
HOSTILE_WORDS = st.sampled_from(WORDS)
TEXT = st.one_of(HOSTILE_WORDS, st.text(max_size=12))
NUMBER = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 0.012, 9.4, 1e-9, 1e12, 5e-324]))


def documents(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a msgspec type, every field drawn from what its annotation allows."""
    return _values(msgspec.inspect.type_info(kind))


def _values(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.StructType():
            return st.builds(info.cls, **{field.name: _field(info.cls, field) for field in info.fields})
        case msgspec.inspect.UnionType():
            nothing_first = sorted(info.types, key=lambda option: not isinstance(option, msgspec.inspect.NoneType))
            return st.one_of(*map(_values, nothing_first))
        case msgspec.inspect.VarTupleType():
            return st.lists(_values(info.item_type), max_size=3).map(tuple)
        case msgspec.inspect.EnumType():
            return st.sampled_from([member for member in info.cls if isinstance(member, Enum)])
        case _:
            return _plain(info)


def _field(owner: type[Any], field: Any) -> st.SearchStrategy[Any]:
    return st.just(owner.__struct_defaults__[0]) if field.encode_name == "schema" else _values(field.type)


def _plain(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.FloatType():
            return NUMBER
        case msgspec.inspect.IntType():
            return st.integers(min_value=0, max_value=10**13)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.StrType():
            return TEXT
        case msgspec.inspect.DictType():
            return st.dictionaries(TEXT, TEXT, max_size=2)
    raise NotImplementedError(info)
