"""Bits of a string, compared with a naive model that stores them as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.commands.strings import bits
from crdb.commands.strings.bits import Field

DATA = st.binary(min_size=1, max_size=12)
FIELDS = st.one_of(
    st.integers(1, 63).map(lambda width: Field(width, False)),
    st.integers(1, 64).map(lambda width: Field(width, True)),
)


def spelled(data: bytes) -> str:
    """Return the bits of a string as text, the first bit first."""
    return "".join(f"{byte:08b}" for byte in data)


def value(field: Field, digits: str) -> int:
    """Return the number that these bits encode."""
    number = int(digits, 2)
    return number - (1 << field.bits) if field.signed and digits[0] == "1" else number


@given(data=DATA, field=FIELDS, offset=st.integers(0, 200))
def test_field_is_read_from_anywhere(data: bytes, field: Field, offset: int) -> None:
    digits = (spelled(data) + "0" * 300)[offset : offset + field.bits]
    assert field.read(data, offset) == value(field, digits)


@given(data=DATA, field=FIELDS, offset=st.integers(0, 200), number=st.integers(-(1 << 63), 1 << 63))
def test_field_is_written_and_nothing_else(
    data: bytes, field: Field, offset: int, number: int
) -> None:
    room = bytearray(data.ljust((offset + field.bits + 7) // 8, b"\0"))
    before = spelled(bytes(room))
    fitted = field.wrap(number)
    field.write(room, offset, fitted)
    after = spelled(bytes(room))
    assert field.read(room, offset) == fitted
    assert after[:offset] == before[:offset]
    assert after[offset + field.bits :] == before[offset + field.bits :]


@given(field=FIELDS, number=st.integers(-(1 << 65), 1 << 65))
def test_overflow_wraps_saturates_or_fails(field: Field, number: int) -> None:
    low = -(1 << (field.bits - 1)) if field.signed else 0
    high = low + (1 << field.bits) - 1
    fits = low <= number <= high
    assert field.fit(number, bits.FAIL) == (number if fits else None)
    assert field.fit(number, bits.SATURATE) == min(max(number, low), high)
    wrapped = field.fit(number, bits.WRAP)
    assert wrapped is not None
    assert low <= wrapped <= high
    assert (wrapped - number) % (1 << field.bits) == 0


@given(data=DATA, ends=st.tuples(st.integers(0, 95), st.integers(0, 95)), bit=st.integers(0, 1))
def test_counting_and_finding(data: bytes, ends: tuple[int, int], bit: int) -> None:
    first, last = sorted(end % (8 * len(data)) for end in ends)
    digits = spelled(data)[first : last + 1]
    assert bits.count(data, first, last) == digits.count("1")
    place = digits.find(str(bit))
    assert bits.find(data, bit, first, last) == (first + place if place >= 0 else -1)


@given(texts=st.lists(st.binary(max_size=6), min_size=1, max_size=4))
def test_combining(texts: list[bytes]) -> None:
    size = max(map(len, texts))
    columns = list(zip(*(text.ljust(size, b"\0") for text in texts), strict=True))
    expected = {b"AND": 0xFF, b"OR": 0, b"XOR": 0}
    results = {name: bytearray() for name in expected}
    for column in columns:
        both, either, odd = 0xFF, 0, 0
        for byte in column:
            both, either, odd = both & byte, either | byte, odd ^ byte
        for name, byte in zip(expected, (both, either, odd), strict=True):
            results[name].append(byte)
    for name, result in results.items():
        assert bits.combine(name, texts) == bytes(result)
    assert bits.combine(b"NOT", texts[:1]) == bytes(byte ^ 0xFF for byte in texts[0])


@given(
    data=st.binary(min_size=1, max_size=9),
    ends=st.tuples(st.integers(0, 71), st.integers(0, 71)),
    bit=st.integers(0, 1),
    parts=st.integers(1, 3),
)
def test_counting_and_finding_in_parts(
    data: bytes, ends: tuple[int, int], bit: int, parts: int
) -> None:
    first, last = sorted(end % (8 * len(data)) for end in ends)

    def part(start: int, stop: int) -> bytes:
        return data[start:stop]

    counter, finder = (bits.PartReader(part, parts, 2) for _ in range(2))
    slices = len(list(counter.count(first, last)))
    assert slices == -(-((last >> 3) + 1 - (first >> 3)) // (2 * parts))
    assert counter.found == bits.count(data, first, last)
    assert len(list(finder.find(bit, first, last))) <= slices
    assert finder.found == bits.find(data, bit, first, last)
