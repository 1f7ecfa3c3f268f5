import datetime as dt
import decimal
import math
import struct
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from excise.measure.worker import wire

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.complex_numbers(allow_nan=False)
)
keys = st.text() | st.integers() | st.tuples(st.text(), st.integers())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.tuples(inner, inner) | st.sets(st.integers()),
    max_leaves=12,
)


@given(values)
def test_every_value_comes_back_as_it_was_with_its_type(value):
    back = wire.roundtrip(value)
    assert back == value
    assert type(back) is type(value)


@given(arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(min_dims=0, min_side=0)))
def test_every_array_comes_back_bit_by_bit(array):
    back = wire.roundtrip({"a": [array]})["a"][0]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == np.ascontiguousarray(array).tobytes()


def test_an_array_of_mixed_objects_keeps_the_type_of_every_cell():
    array = np.array([1, 1.5, " 7 ", None, True, decimal.Decimal("1.10"), uuid.UUID(int=1)], dtype=object)
    back = wire.roundtrip(array)
    assert [type(cell) for cell in back] == [type(cell) for cell in array]
    assert back.tolist() == array.tolist()


def test_nan_stays_nan_and_infinity_infinity():
    back = wire.roundtrip([math.nan, math.inf, -math.inf])
    assert math.isnan(back[0])
    assert back[1:] == [math.inf, -math.inf]


def test_a_dict_with_the_tag_as_its_key_is_no_tag():
    assert wire.roundtrip({"~": "array", "b": 0}) == {"~": "array", "b": 0}


def test_a_string_subclass_becomes_the_string():
    assert wire.roundtrip(np.str_("text")) == "text"


def test_bytes_that_are_no_frame_are_refused_without_taking_memory():
    huge = struct.pack("!II", wire.MAX_HEADER + 1, 0)
    with pytest.raises(wire.BadFrame):
        wire.decode(lambda size: huge[:size])


def test_an_unknown_tag_is_a_bad_frame():
    header = b'{"~": "no such"}'
    data = bytearray(struct.pack("!II", len(header), 0) + header)

    def read(size):
        part, data[:size] = bytes(data[:size]), b""
        return part

    with pytest.raises(wire.BadFrame):
        wire.decode(read)
