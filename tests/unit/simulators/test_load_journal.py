"""A gateway's journal holds what was put into it, whatever ended the process."""

from pathlib import Path

import pytest

from simulators.load import journal
from simulators.load.journal import FileJournal, MemoryJournal


def filled(path: Path, count: int) -> FileJournal:
    opened = FileJournal(path)
    for number in range(opened.next_number, opened.next_number + count):
        opened.keep(number, f"payload {number}".encode())
    return opened


def test_an_abandoned_journal_is_read_again(tmp_path: Path) -> None:
    before = filled(tmp_path / "journal", 10)
    before.forget([1, 2, 3, 5])
    again = FileJournal(tmp_path / "journal")  # the first one was never closed: its process was killed
    assert again.buffer == before.buffer
    assert again.next_number == 11
    assert set(again.kept) >= set(before.kept)
    assert not set(again.kept) & {1, 2, 3}
    assert again.kept[7] == b"payload 7"


def test_numbers_go_on_when_nothing_is_kept(tmp_path: Path) -> None:
    before = filled(tmp_path / "journal", 10)
    before.forget(range(1, 11))
    again = FileJournal(tmp_path / "journal")
    assert (again.next_number, again.kept) == (11, {})
    assert FileJournal(tmp_path / "journal").next_number == 11


@pytest.mark.parametrize("lost", [1, 5, 20, 30])
def test_a_record_that_was_cut_off_is_ignored_and_the_ones_before_it_are_not(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "journal"
    filled(path, 10).close()
    path.write_bytes(path.read_bytes()[:-lost])
    again = FileJournal(path)
    expected = 10 if lost < 27 else 9
    assert again.next_number == expected
    assert list(again.kept) == list(range(1, expected))


def test_a_damaged_record_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path, 3).close()
    path.write_bytes(path.read_bytes().replace(b"payload 3", b"payload X"))
    assert list(FileJournal(path).kept) == [1, 2]


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_REWRITE_BEYOND_BYTES", 2000)
    opened = FileJournal(tmp_path / "journal")
    for number in range(1, 1001):
        opened.keep(number, bytes(100))
        opened.forget([number - 5])
    assert (tmp_path / "journal").stat().st_size < 5000
    assert list(FileJournal(tmp_path / "journal").kept) == [996, 997, 998, 999, 1000]


def test_a_synchronised_journal_holds_the_same(tmp_path: Path) -> None:
    opened = FileJournal(tmp_path / "journal", sync=True)
    opened.keep(1, b"payload")
    assert FileJournal(tmp_path / "journal", sync=True).kept == {1: b"payload"}


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("something else\n")
    with pytest.raises(ValueError, match="no journal"):
        FileJournal(tmp_path / "journal")
    assert (tmp_path / "journal").read_text() == "something else\n"


def test_each_memory_is_a_buffer_of_its_own() -> None:
    assert MemoryJournal().buffer != MemoryJournal().buffer
