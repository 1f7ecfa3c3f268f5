import io

import pytest
from rich.console import Console

from excise.core.errors import DataError, MissingExtra
from excise.report import consoles
from excise.report.failure import failure, show_failure


def shown(error, **options):
    written = io.StringIO()
    show_failure(error, Console(file=written, width=40, **options))
    return written.getvalue()


def test_an_error_is_one_line_and_its_hint_another_however_narrow_the_terminal():
    error = DataError("july.csv has no column 'dep_tme' among its 19 columns", hint="did you mean 'dep_time'?")
    assert shown(error) == (
        "Error: july.csv has no column 'dep_tme' among its 19 columns\nHint: did you mean 'dep_time'?\n"
    )


def test_an_error_without_a_cure_has_no_hint():
    assert shown(DataError("the file is empty")) == "Error: the file is empty\n"


def test_markup_and_control_characters_of_a_message_are_shown_as_they_are():
    assert shown(DataError("column [bold]x[/]\n\x1b[31m"), force_terminal=True).count("\x1b[31m") <= 1
    assert "column [bold]x[/] \\x1b[31m" in failure(DataError("column [bold]x[/]\n\x1b[31m")).plain


def test_a_fault_of_ours_says_so():
    assert failure(KeyError("rows")).plain.startswith("Internal error: KeyError: 'rows'\nHint: run again with --debug")
    assert failure(AssertionError()).plain.startswith("Internal error: AssertionError\n")


def test_a_missing_extra_says_what_to_install():
    assert "Hint: pip install 'excise[charts]'" in failure(MissingExtra("altair", extra="charts")).plain


@pytest.mark.parametrize(("console", "stderr"), [(consoles.output, False), (consoles.errors, True)])
def test_each_console_writes_to_its_stream_and_styles_nothing_by_itself(console, stderr, capsys):
    console().print("[bold]1[/] :smile: 'x'")
    out, err = capsys.readouterr()
    assert (err if stderr else out) == "[bold]1[/] :smile: 'x'\n"
    assert (out if stderr else err) == ""
