import json

import pytest

from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.table_reader import read_table
from skdnn._table_files.table_reading import TableReading, learn_table


def write(tmp_path, header, rows, name="a.csv"):
    path = tmp_path / name
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return read_table(str(path))


@pytest.fixture
def patients(tmp_path):
    rows = [
        (
            f"P{i}", 20 + i % 50 if i % 9 else -999, "fm"[i % 2], f"0{1000 + i % 7}",
            f"{1 + i % 28}.0{1 + i % 9}.20{10 + i % 9}", "NA" if i % 8 == 0 else i % 3,
            "same", "", f"word of text {i} here", ["ill", "well"][i % 5 > 1],
        )
        for i in range(60)
    ]  # fmt: skip
    names = "patient_id,age,sex,postcode,admitted,stage,unit,empty,remark,outcome"
    return write(tmp_path, names, rows)


def test_what_columns_are(patients):
    learned = learn_table(patients, "outcome")
    reading = learned.reading
    assert reading.ids == ["patient_id"]
    assert {name: kind.kind for name, kind in reading.kinds.items()} == {
        "age": "number", "sex": "category", "postcode": "category",
        "admitted": "date", "stage": "number",
    }  # fmt: skip
    assert reading.left_out == {
        "empty": "has no value", "unit": "constant", "remark": "free text",
    }  # fmt: skip
    assert list(learned.X) == [
        "age", "sex", "postcode", "admitted: year", "admitted: month",
        "admitted: weekday", "stage",
    ]  # fmt: skip
    assert learned.X["age"].isna().sum() == 7
    assert learned.X["stage"].isna().sum() == 8
    assert learned.X["postcode"][0] == "01000"
    assert set(learned.y) == {"ill", "well"}
    facts = " ".join(learned.facts)
    for text in (
        "Identifier: patient_id", "'NA' (8)", "'-999' (7)", "day.month.year",
        "Not used: unit (constant), remark (free text)",
    ):  # fmt: skip
        assert text in facts


def test_the_reading_is_repeated_from_json(patients, tmp_path):
    learned = learn_table(patients, "outcome")
    reading = TableReading.from_dict(json.loads(json.dumps(learned.reading.as_dict())))
    assert reading == learned.reading
    assert reading.features(patients).equals(learned.X)
    new = write(
        tmp_path,
        "sex,age,stage,admitted,postcode,more",
        [("f", 30, "unknown", "1.2.2020", "01001", 1), ("m", -999, 2, "", "99999", 2)],
    )
    X = reading.features(new)
    assert X["age"].isna().tolist() == [False, True]
    assert X["stage"].isna().tolist() == [True, False]
    assert X["admitted: month"].tolist()[0] == 2
    assert X["admitted: month"].isna().tolist() == [False, True]
    assert list(X) == list(learned.X)
    assert reading.unused(new) == ["more"]
    assert reading.id_columns(new) == {}


def test_options_overrule(patients):
    learned = learn_table(
        patients, "outcome", drop=["admitted"], ids=["postcode"], missing=["f", "20"]
    )
    assert learned.reading.ids == ["postcode"]
    assert learned.reading.left_out["admitted"] == "--drop"
    assert learned.X["sex"].isna().sum() == 30
    assert learned.X["age"].min() == -999
    assert learn_table(patients, "outcome", ids=["none"]).reading.ids == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("f", "thirty", "1", "1.2.2020", "1"), "'age' .* in line 2"),
        (("f", "1", "1", "2020-02-01", "1"), "'admitted' .* day.month.year"),
    ],
)
def test_cells_of_another_kind(row, words, patients, tmp_path):
    reading = learn_table(patients, "outcome").reading
    new = write(tmp_path, "sex,age,stage,admitted,postcode", [row])
    with pytest.raises(TableFileError, match=words):
        reading.features(new)


def test_columns_that_are_missing_or_renamed(patients, tmp_path):
    reading = learn_table(patients, "outcome").reading
    new = write(tmp_path, "sex,Age,stage,admitted,postcode", [("f", 1, 1, "", "")])
    with pytest.raises(TableFileError, match=r"lacks age\. Is it 'Age'\? Rename it"):
        reading.features(new)


def test_misspelled_numbers_and_numeric_words(tmp_path):
    rows = [(i * 7 % 31, i % 3, "xy"[i % 2]) for i in range(40)]
    table = write(tmp_path, "a,b,y", [*rows, ("1o5", 1, "x")])
    with pytest.raises(TableFileError, match="'1o5' in line 42"):
        learn_table(table, "y")
    learned = learn_table(
        write(tmp_path, "a,b,y", [*rows, ("not measured", 1, "x")]), "y"
    )
    assert learned.X["a"].isna().sum() == 1
    assert "'not measured' (1)" in " ".join(learned.facts)


def test_a_decimal_sign_that_differs(tmp_path):
    path = tmp_path / "b.csv"
    path.write_text(
        "a;y\n" + "".join(f"{i},5;{'xy'[i % 2]}\n" for i in range(30)), "utf-8"
    )
    reading = learn_table(read_table(str(path)), "y").reading
    assert reading.decimal == ","
    path.write_text("a,y\n1.5,x\n", "utf-8")
    new = read_table(str(path), usual_decimal=reading.decimal)
    assert reading.features(new)["a"].tolist() == [1.5]
    with pytest.raises(TableFileError, match=r"--decimal \."):
        reading.features(read_table(str(path), decimal=","))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": None}, "--target must name the column to predict. a.csv has"),
        ({"target": "outcom"}, "Did you mean 'outcome'"),
        ({"target": "outcome", "drop": ["agee"]}, "--drop .* Did you mean 'age'"),
        ({"target": "outcome", "drop": ["outcome"]}, "must be predicted"),
        ({"target": "unit"}, "at least two classes"),
        (
            {
                "target": "outcome",
                "drop": ["age", "sex", "postcode", "admitted", "stage"],
            },
            "must have a column to learn from .*|a column to learn from",
        ),
    ],
)
def test_columns_that_cannot_be_chosen(options, words, patients):
    with pytest.raises(TableFileError, match=words):
        learn_table(patients, **options)


def test_rows_without_a_class_are_left_out(tmp_path):
    rows = [(i, i % 4, "xy"[i % 2] if i % 5 else "") for i in range(40)]
    learned = learn_table(write(tmp_path, "a,b,y", rows), "y")
    assert len(learned.y) == len(learned.X) == 32
    assert "Rows without y, left out: 8" in learned.facts[0]


def test_identifiers_that_repeat_and_what_gives_the_class_away(tmp_path):
    rows = [(f"p{i // 2}", i % 2, "xy"[i % 2]) for i in range(60)]
    learned = learn_table(write(tmp_path, "patient_id,copy,y", rows), "y")
    facts = " ".join(learned.facts)
    assert "patient_id is named like an identifier but repeats" in facts
    assert "copy equals the target" in facts
    assert learned.reading.ids == []


@pytest.fixture
def visits(tmp_path):
    """Rows whose days may all be months, and days that cannot."""
    rows = [
        (f"{1 + i % 12:02}/{1 + i % 11:02}/2024", f"{13 + i % 9}/01/2024", "ab"[i % 2])
        for i in range(44)
    ]
    return write(tmp_path, "visit,born,outcome", rows)


def test_dates_in_either_order_need_an_option(visits):
    learned = learn_table(visits, "outcome")
    assert learned.reading.left_out["visit"] == "day or month"
    assert "born" in learned.reading.kinds
    assert "--dates day-first or --dates month-first" in " ".join(learned.facts)
    months = {}
    for order in ("day-first", "month-first"):
        learned = learn_table(visits, "outcome", order=order)
        months[order] = learned.X["visit: month"].tolist()
        facts = " ".join(learned.facts)
        words = {"day-first": "day/month/year", "month-first": "month/day/year"}
        assert f"visit (as in 01/01/2024, {words[order]})" in facts
        assert ("They are not month-first" in facts) == (order == "month-first")
        assert learned.reading.kinds["born"].format == "%d/%m/%Y"
    assert months["day-first"] == [1 + i % 11 for i in range(44)]
    assert months["month-first"] == [1 + i % 12 for i in range(44)]


def test_the_order_of_dates_is_kept_and_can_be_exchanged(visits, tmp_path):
    learned = learn_table(visits, "outcome", order="month-first")
    reading = TableReading.from_dict(json.loads(json.dumps(learned.reading.as_dict())))
    new = write(tmp_path, "visit,born", [("03/04/2024", "14/01/2024")], "new.csv")
    assert reading.features(new)["visit: month"].tolist() == [3]
    other = reading.with_order("day-first")
    assert other.features(new)["visit: month"].tolist() == [4]
    assert reading.with_order(None) == reading
    assert reading.orders_in_words()[0] == "Dates: visit is read as month/day/year."
    swapped = write(tmp_path, "visit,born", [("14/04/2024", "14/01/2024")], "new.csv")
    with pytest.raises(TableFileError, match=r"line 2.* --dates day-first\."):
        reading.features(swapped)
    wrong = write(tmp_path, "visit,born", [("2024", "14/01/2024")], "new.csv")
    with pytest.raises(TableFileError, match=r"in this way\."):
        reading.features(wrong)
