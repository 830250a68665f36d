"""Error texts."""

from __future__ import annotations

from crdb.engine import errors


def test_texts_with_place_for_command() -> None:
    assert errors.wrong_arity(b"config|get") == (
        b"ERR wrong number of arguments for 'config|get' command"
    )
    assert errors.invalid_expire(b"set") == b"ERR invalid expire time in 'set' command"


def test_client_text_in_errors_is_escaped() -> None:
    assert errors.one_line(b"a\r\nb\nc") == b"a  b c"
    assert errors.printable(b"abc\x00def") == b"abc"
    assert errors.printable(b"x" * 200) == b"x" * 128
    assert errors.CommandError(b"ERR no").text == b"ERR no"


def test_reason_of_failed_journal_is_one_line() -> None:
    assert errors.journal_failed("disk\nfull") == (
        b"MISCONF the journal cannot be written (disk full), so writes are refused."
        b" Repair or free the disk, then restart the region."
    )
