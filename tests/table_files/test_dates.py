import pandas as pd
import pytest

from skdnn._table_files.dates import (
    ISO,
    ORDERS,
    DateFormat,
    derive,
    describe_format,
    detect_format,
    in_order,
    order_of,
    parse,
    parts_of,
    swap_order,
)


@pytest.mark.parametrize(
    ("texts", "format"),
    [
        (["2020-01-05", "2021-03-17"], DateFormat(ISO)),
        (["2020-01-05T10:00:00Z", "2021-03-17T11:30:00+02:00"], DateFormat(ISO)),
        (["5.1.2020", "17.03.2021"], DateFormat("%d.%m.%Y")),
        (["05.01.2020", "07.03.2021"], DateFormat("%d.%m.%Y")),
        (["01/25/2020", "02/03/2020"], DateFormat("%m/%d/%Y")),
        (["25/01/2020", "02/03/2020"], DateFormat("%d/%m/%Y")),
        (["01/02/2020", "02/03/2020"], DateFormat("%d/%m/%Y", "%m/%d/%Y")),
        (["5 Jan 2020", "6 Mar 2021"], DateFormat("%d %b %Y")),
        (["10:30", "11:45"], DateFormat("%H:%M")),
        (["20200131", "20210512"], DateFormat("%Y%m%d")),
        (["2020-01", "2020-02"], DateFormat("%Y-%m")),
        (["a", "b"], None),
        (["5 kg", "6 kg"], None),
        (["2020-01-05", "2021-13-45"], None),
        (["2020-01-05", "2020-01-05"], None),
    ],
)
def test_formats(texts, format):
    assert detect_format(texts) == format


def test_parts():
    dates = parse(["05.01.2020", "06.02.2020", ""], "%d.%m.%Y")
    assert parts_of(dates, "%d.%m.%Y") == ["year", "month", "weekday"]
    values = derive(dates, ["year", "month", "weekday", "hour"])
    assert values["weekday"].tolist() == ["Sunday", "Thursday", None]
    assert values["year"][0] == pytest.approx(2020 + 4 / 366, abs=1e-4)
    assert values["month"][:2].tolist() == [1, 2]
    assert values["hour"][0] == 0
    assert all(pd.isna(part[2]) for part in values.values())
    assert parts_of(parse(["10:30", "12:00"], "%H:%M"), "%H:%M") == ["hour"]


def test_orders_of_day_and_month():
    assert swap_order("%d/%m/%Y %H:%M") == "%m/%d/%Y %H:%M"
    assert all(swap_order(f) is None for f in ("%d.%m.%Y", "%d %b %Y", ISO))
    assert [order_of(f) for f in ("%d-%m-%Y", "%m-%d-%Y", ISO)] == [*ORDERS, None]
    assert in_order("%d/%m/%Y", "month-first") == "%m/%d/%Y"
    assert in_order("%d/%m/%Y", "day-first") == in_order("%d/%m/%Y", None)
    assert in_order("%d.%m.%Y", "month-first") == "%d.%m.%Y"


def test_a_format_in_words():
    assert describe_format(ISO) == "year-month-day"
    assert describe_format("%d.%m.%Y %H:%M") == "day.month.year hour:minute"
