import pytest

from excise.core.secrets import is_secret, without_secrets


@pytest.mark.parametrize(
    "name",
    ["Authorization", "cookie", "Set-Cookie", "Proxy-Authorization", "X-API-Key", "api-key", "X-Auth-Token",
     "x-amz-security-token", "Client-Secret", "X_PASSWORD", "api_key", "apikey", " Authorization "],
)  # fmt: skip
def test_what_lets_somebody_in_is_secret(name):
    assert is_secret(name)
    assert without_secrets([(name, "hunter2"), ("Accept", "*/*")]) == [("Accept", "*/*")]


@pytest.mark.parametrize("name", ["Content-Type", "X-Request-Id", "Accept", "User-Agent", "keyboard", "author"])
def test_all_else_may_be_kept(name):
    assert not is_secret(name)
