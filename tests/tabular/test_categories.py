"""Categories are kept exactly, whatever their types."""

from decimal import Decimal

import numpy as np
import pytest

from skdnn._tabular.categories import pack, unpack


@pytest.mark.parametrize(
    "categories",
    [
        (),
        ("b", "a", "", "\x00", "z\x00", "\ud800", "ü"),
        (True, False),
        (1, 1.5, "1", True),
        (2**70, -0.0, 0.1, float("inf")),
        (np.int64(3), "x"),
        (Decimal("0.10"), 2),
    ],
)
def test_categories_keep_values_and_types(categories):
    again = unpack(pack(categories))
    assert [(type(v), repr(v)) for v in again] == [
        (type(v), repr(v)) for v in categories
    ]


def test_usual_categories_are_one_text():
    assert isinstance(pack([str(i) for i in range(10**4)]), str)
