from hypothesis import given
from hypothesis import strategies as st

from excise.monitor.redaction import Redaction, blank

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=4), part, max_size=3)
)


def test_secrets_are_taken_out_without_being_named():
    rules = Redaction()
    assert rules.headers([("Authorization", "Bearer x"), ("Cookie", "y"), ("X-Trace", "1")]) == {"X-Trace": "1"}
    assert rules.path("/p", "token=abc&x=1") == "/p?token=redacted&x=1"
    assert rules.body({"apiKey": "k", "max_tokens": 5, "auth": {"secret": 7}}) == {
        "apiKey": "redacted",
        "max_tokens": 5,
        "auth": {"secret": 0},
    }


def test_a_field_is_named_by_its_name_or_by_its_path():
    rules = Redaction(redact=["user.email", "phone"])
    body = {"email": "kept", "user": {"email": "gone", "phones": ["kept"]}, "rows": [{"phone": "gone"}]}
    assert rules.body(body) == {
        "email": "kept",
        "user": {"email": "redacted", "phones": ["kept"]},
        "rows": [{"phone": "redacted"}],
    }


def test_a_hashed_value_stays_itself_in_one_recording_and_changes_in_the_next():
    one, other = Redaction(hashed=["user"]), Redaction(hashed=["user"])
    assert one.body({"user": 41}) == one.body({"user": 41})
    assert one.body({"user": 41}) != one.body({"user": 42})
    assert one.body({"user": 41}) != other.body({"user": 41})


@given(JSON)
def test_a_body_without_named_fields_stays_as_it_was(value):
    assert Redaction(redact=["absent-field"]).body(value) == value


@given(JSON)
def test_what_is_taken_out_keeps_its_type(value):
    assert type(blank(value)) is type(value)
