import re

from excise.core import errors


def tree():
    return [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]


def test_the_tree_drawn_at_the_top_is_the_tree():
    drawn = {
        match["name"]: int(match["code"]) if match["code"] else None
        for match in re.finditer(
            r"(?:^|[├└│─ ]+)(?P<name>[A-Z]\w+)(?:\s+(?P<code>\d+))?\s", errors.__doc__, re.MULTILINE
        )
        if hasattr(errors, match["name"])
    }
    assert set(drawn) == {error.__name__ for error in tree()}
    for name, code in drawn.items():
        if code is not None:
            assert getattr(errors, name).exit_code == code


def test_every_error_is_one_of_ours_and_ends_a_command_with_a_code_of_the_contract():
    assert all(issubclass(error, errors.ExciseError) for error in tree())
    assert {error.exit_code for error in tree()} == {1, 2, 3, 4, 70}


def test_the_cure_stands_behind_hint():
    assert str(errors.DataError("no rows", hint="give some")) == "no rows\nHint: give some"
    assert errors.MissingExtra("torch", extra="torch").hint == "pip install 'excise[torch]'"
