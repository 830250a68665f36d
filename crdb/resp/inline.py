r"""Requests typed by hand: one line of words, quoted as in a shell.

Between double quotes `\n \r \t \b \a \xHH` and `\` before any other byte have their meaning in C.
Between single quotes only `\'` is special. A closing quote must end the word. A line ends at its
first NUL. These are the rules of Redis' `sdssplitargs`.
"""

from __future__ import annotations

from typing import Final

SPACES: Final = b" \t\n\v\f\r"
WORD_ENDS: Final = b" \t\n\r"
HEX: Final = b"0123456789abcdefABCDEF"
ESCAPES: Final[dict[int, bytes]] = {
    ord("n"): b"\n",
    ord("r"): b"\r",
    ord("t"): b"\t",
    ord("b"): b"\b",
    ord("a"): b"\a",
}
BACKSLASH: Final = ord("\\")
DOUBLE: Final = ord('"')
SINGLE: Final = ord("'")


def split_line(line: bytes) -> list[bytes] | None:
    r"""Return the words of a line, or None if its quotes are not balanced.

    >>> split_line(rb"SET greeting 'it\'s' " + rb'"\x41\n"')
    [b'SET', b'greeting', b"it's", b'A\n']
    """
    line = line.split(b"\x00", 1)[0]
    words: list[bytes] = []
    position = 0
    while True:
        while position < len(line) and line[position] in SPACES:
            position += 1
        if position == len(line):
            return words
        found = _parse_word(line, position)
        if found is None:
            return None
        word, position = found
        words.append(word)


def _parse_word(line: bytes, position: int) -> tuple[bytes, int] | None:
    """Return the word that starts at `position`, and the position after it."""
    word = bytearray()
    while position < len(line) and line[position] not in WORD_ENDS:
        byte = line[position]
        position += 1
        if byte not in (DOUBLE, SINGLE):
            word.append(byte)
            continue
        end = _parse_quoted(line, position, byte, word)
        if end is None or (end < len(line) and line[end] not in SPACES):
            return None
        return bytes(word), end
    return bytes(word), position


def _parse_quoted(line: bytes, position: int, quote: int, word: bytearray) -> int | None:
    """Append the text between quotes. Return the position after them, or None without an end."""
    while position < len(line):
        byte = line[position]
        if byte == quote:
            return position + 1
        if byte == BACKSLASH and position + 1 < len(line):
            position += _parse_escape(line, position, quote, word)
        else:
            word.append(byte)
            position += 1
    return None


def _parse_escape(line: bytes, position: int, quote: int, word: bytearray) -> int:
    """Append the meaning of the backslash at `position`. Return the number of bytes read."""
    following = line[position + 1]
    if quote == SINGLE:
        if following != SINGLE:
            word.append(BACKSLASH)
            return 1
        word.append(SINGLE)
        return 2
    digits = line[position + 2 : position + 4]
    if following == ord("x") and len(digits) == 2 and digits[0] in HEX and digits[1] in HEX:
        word.append(int(digits, 16))
        return 4
    word += ESCAPES.get(following, bytes((following,)))
    return 2
