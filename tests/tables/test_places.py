import fsspec
import pytest

from excise.core.errors import DataError, StoreError, UsageError
from excise.tables.places import read_place, write_place


def ours(found):
    return found.startswith(b"ours")


@pytest.fixture(params=["here", "memory"])
def folder(request, tmp_path):
    if request.param == "here":
        yield str(tmp_path)
        return
    memory = fsspec.filesystem("memory")
    memory.makedirs("/places")
    yield "memory://places"
    memory.rm("/places", recursive=True)


def test_what_is_written_is_read_and_written_over_by_its_own_kind_only(folder):
    write_place(f"{folder}/one", b"ours 1", ours, "thing")
    write_place(f"{folder}/one", b"ours 2", ours, "thing")
    assert read_place(f"{folder}/one") == b"ours 2"
    with fsspec.open(f"{folder}/other", "wb") as file:
        file.write(b"theirs")
    with pytest.raises(UsageError, match="other exists and is no thing"):
        write_place(f"{folder}/other", b"ours", ours, "thing")
    assert read_place(f"{folder}/other") == b"theirs"


def test_what_is_not_there_is_one_line(folder):
    with pytest.raises(DataError, match=r"cannot read .*nothing"):
        read_place(f"{folder}/nothing")


def test_nothing_half_written_stays(tmp_path):
    with pytest.raises(StoreError, match=r"cannot write .*one"):
        write_place(tmp_path / "no" / "one", b"ours", ours, "thing")
    (tmp_path / "one").mkdir()
    with pytest.raises(StoreError):
        write_place(tmp_path / "one", b"ours", ours, "thing")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_an_unknown_scheme_is_one_line():
    with pytest.raises(StoreError, match=r"cannot write nope://x: Protocol not known"):
        write_place("nope://x", b"ours", ours, "thing")
    with pytest.raises(DataError, match=r"cannot reach nope://x: Protocol not known"):
        read_place("nope://x")
