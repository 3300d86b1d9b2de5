import numpy as np
import pytest

from skdnn._table_files.number_formats import (
    as_numbers,
    detect_decimal,
    is_code,
    looks_like_number,
)


@pytest.mark.parametrize(
    ("cell", "decimal", "number"),
    [
        ("1.5", ".", 1.5),
        ("-1.5e3", ".", -1500),
        (".5", ".", 0.5),
        ("5.", ".", 5),
        ("\u22122", ".", -2),
        ("1,234.5", ".", 1234.5),
        ("1 234", ".", 1234),
        ("1'234'567", ".", 1234567),
        ("1,5", ",", 1.5),
        ("1.234,5", ",", 1234.5),
        ("1\u00a0234,5", ",", 1234.5),
        ("12\u00a0%", ".", 12),
        ("€ 5,00", ",", 5),
        ("1,5", ".", None),
        ("1.5", ",", None),
        ("1.2.3", ".", None),
        ("5more", ".", None),
        ("inf", ".", None),
        ("", ".", None),
        ("12,34", ".", None),
    ],
)
def test_numbers(cell, decimal, number):
    numbers, is_number, _ = as_numbers([cell], decimal)
    assert is_number[0] == (number is not None)
    np.testing.assert_equal(numbers[0], np.nan if number is None else number)


def test_units():
    assert as_numbers(["1 kg", "2 kg"], ".")[2] == {"kg"}
    assert as_numbers(["1 kg", "2 g"], ".")[2] == {"kg", "g"}
    assert as_numbers(["1", "2 kg"], ".")[2] == {"", "kg"}


@pytest.mark.parametrize(
    ("cells", "separator", "usual", "decimal"),
    [
        (["1,5", "x"], ";", None, ","),
        (["1.5", "x"], ";", None, "."),
        (["1,234"], ";", None, ","),
        (["1,234"], ",", None, "."),
        (["1,234"], ";", ".", "."),
        (["1.5"], ";", ",", "."),
        (["1.234.567"], ",", None, ","),
        (["1.234"], ";", ",", ","),
        (["a"], ",", None, "."),
    ],
)
def test_the_decimal_sign(cells, separator, usual, decimal):
    assert detect_decimal(cells, separator, usual) == decimal


def test_codes_and_what_looks_like_a_number():
    assert [is_code(cell) for cell in ("01067", "0", "0.5", "10")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert looks_like_number("1,5")
    assert not looks_like_number("a1")
