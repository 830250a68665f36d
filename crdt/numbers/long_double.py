"""Long doubles: parse, add and print them exactly as Redis does for INCRBYFLOAT.

Redis uses C's `long double`, which on x86-64 is the extended format of the x87: a mantissa of 64
bits, an exponent of 15 bits, rounding to nearest and ties to even. Redis parses with `strtold`. It
prints with `%.17Lf` and removes trailing zeros. Here a long double is a pair of integers
`(mantissa, exponent)` with the value mantissa * 2 ** exponent and a mantissa of at most 64 bits.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

MANTISSA_BITS: Final = 64
EXPONENT_MIN: Final = -16445  # the exponent of the smallest positive number
SIZE_MAX: Final = 16384  # finite numbers are below 2 ** SIZE_MAX
DECIMALS: Final = 17
SCALE: Final = 10**DECIMALS
TEXT_MAX: Final = 5 * 1024  # the size of Redis's buffer; longer texts are not numbers
DIGITS_MAX: Final = 4000  # below the limit of Python's int() for decimal digits
TEN_MAX: Final = 5000  # the power of ten of a finite number other than 0 is within -5000..5000

DECIMAL: Final = re.compile(rb"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
HEXADECIMAL: Final = re.compile(
    rb"([+-]?)0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP]([+-]?[0-9]+))?"
)
INFINITE: Final = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)

LongDouble = tuple[int, int]
ZERO: Final[LongDouble] = (0, 0)
INFINITY: Final[LongDouble] = (1, SIZE_MAX)
MINUS_INFINITY: Final[LongDouble] = (-1, SIZE_MAX)


def parse(text: bytes) -> LongDouble | None:
    """Return the number that `text` represents, or None.

    As in Redis, the text "inf" is a number. A finite number that is too large or too small for a
    long double is not.
    """
    if len(text) >= TEXT_MAX:
        return None
    match = DECIMAL.fullmatch(text)
    if match is not None:
        sign, digits, power = match.groups()
        found = _parse_decimal(digits, power or b"0")
    else:
        match = HEXADECIMAL.fullmatch(text)
        if match is not None:
            sign, digits, power = match.groups()
            found = _parse_hexadecimal(digits, power or b"0")
        else:
            match = INFINITE.fullmatch(text)
            if match is None:
                return None
            return MINUS_INFINITY if match.group(1) == b"-" else INFINITY
    if found is None or is_infinite(found):
        return None
    return (-found[0], found[1]) if sign == b"-" else found


def is_infinite(number: LongDouble) -> bool:
    """Return whether `number` is plus or minus infinity."""
    return number[1] == SIZE_MAX


def add(left: LongDouble, right: LongDouble) -> LongDouble:
    """Return the rounded sum of two finite numbers. The sum may be infinite."""
    exponent = min(left[1], right[1])
    total = (left[0] << left[1] - exponent) + (right[0] << right[1] - exponent)
    rounded = _rounded(abs(total), exponent, False)
    return (-rounded[0], rounded[1]) if total < 0 else rounded


def to_text(number: LongDouble) -> bytes:
    """Return a finite number as Redis prints it: no exponent, and 17 decimals at most."""
    mantissa, exponent = abs(number[0]), number[1]
    if exponent >= 0:
        text = _digits(mantissa << exponent)
    else:
        scaled = mantissa * SCALE
        whole = scaled >> -exponent
        rest, half = scaled - (whole << -exponent), 1 << -exponent - 1
        if rest > half or (rest == half and whole & 1):
            whole += 1
        text = _digits(whole).rjust(DECIMALS + 1, "0")
        text = f"{text[:-DECIMALS]}.{text[-DECIMALS:]}".rstrip("0").rstrip(".")
    return (f"-{text}" if number[0] < 0 and text != "0" else text).encode()


def _parse_decimal(digits: bytes, power: bytes) -> LongDouble | None:
    """Return the absolute value of a decimal text; None if it is too small."""
    whole, _, fraction = digits.partition(b".")
    text = (whole + fraction).lstrip(b"0").decode()
    if not text:
        return ZERO
    exponent = _power(power) - len(fraction)
    if len(text) + exponent > TEN_MAX:
        return INFINITY
    if len(text) + exponent < -TEN_MAX:
        return None
    number = int(text) if len(text) < DIGITS_MAX else int(Decimal(text))
    if exponent >= 0:
        return _rounded(number * 10**exponent, 0, False)
    return _quotient(number, 10**-exponent)


def _parse_hexadecimal(digits: bytes, power: bytes) -> LongDouble | None:
    """Return the absolute value of a hexadecimal text; None if it is too small."""
    whole, _, fraction = digits.partition(b".")
    number = int(whole + fraction, 16)
    if number == 0:
        return ZERO
    exponent = _power(power) - 4 * len(fraction)
    if number.bit_length() + exponent > SIZE_MAX:
        return INFINITY
    found = _rounded(number, max(exponent, -(1 << 20)), False)
    return None if found[0] == 0 else found


def _power(text: bytes) -> int:
    """Return the exponent that `text` represents. 9 digits or more count as 10**9."""
    digits = text.lstrip(b"+-").lstrip(b"0") or b"0"
    size = int(digits) if len(digits) < 9 else 10**9
    return -size if text[:1] == b"-" else size


def _quotient(numerator: int, denominator: int) -> LongDouble | None:
    """Return a positive fraction as a rounded number; None if it is too small."""
    exponent = numerator.bit_length() - denominator.bit_length() - MANTISSA_BITS - 2
    exponent = max(exponent, EXPONENT_MIN - 2)
    if exponent >= 0:
        whole, rest = divmod(numerator, denominator << exponent)
    else:
        whole, rest = divmod(numerator << -exponent, denominator)
    found = _rounded(whole, exponent, rest != 0)
    return None if found[0] == 0 else found


def _rounded(mantissa: int, exponent: int, has_rest: bool) -> LongDouble:
    """Return the long double nearest to mantissa * 2 ** exponent, which is not negative.

    `has_rest` says that the exact number is slightly larger. The mantissa then has more than 64
    bits.
    """
    excess = max(mantissa.bit_length() - MANTISSA_BITS, EXPONENT_MIN - exponent)
    if excess > 0:
        whole = mantissa >> excess
        rest, half = mantissa - (whole << excess), 1 << excess - 1
        if rest > half or (rest == half and (has_rest or whole & 1)):
            whole += 1
        mantissa, exponent = whole, exponent + excess
        if mantissa.bit_length() > MANTISSA_BITS:  # all ones, rounded up: a power of two
            mantissa, exponent = mantissa >> 1, exponent + 1
    if mantissa.bit_length() + exponent > SIZE_MAX:
        return INFINITY
    return mantissa, exponent


def _digits(number: int) -> str:
    """Return a non-negative integer in decimal. `str` refuses integers of very many digits."""
    return str(number) if number < 1 << 64 else str(Decimal(number))
