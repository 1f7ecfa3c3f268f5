import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from excise.report.packing import BETWEEN, Packed, packed

parts_of = st.lists(st.text("abc 1", min_size=1, max_size=12).map(str.strip).filter(bool), min_size=1, max_size=9)


@given(parts_of, st.integers(12, 60))
def test_lines_break_between_parts_only_and_keep_to_the_width(parts, width):
    lines = packed([Text(part) for part in parts], width).plain.split("\n")
    assert [part for line in lines for part in line.split(BETWEEN)] == parts
    assert all(len(line) <= width for line in lines)


def test_it_fills_the_width_that_it_is_drawn_in():
    written = io.StringIO()
    Console(file=written, width=20).print(Packed(["p50 2 ms", "p95 3 ms", "CPU 2 ms"]))
    assert written.getvalue().splitlines() == ["p50 2 ms · p95 3 ms", "CPU 2 ms"]
