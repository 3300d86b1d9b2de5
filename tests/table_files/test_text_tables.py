import time

import numpy as np
import pytest

from skdnn._table_files.sources import open_source
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.text_tables import read_text


def read(tmp_path, text, **options):
    path = tmp_path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_text(open_source(str(path)), **options)


def cells(table, name):
    column = table.columns[name]
    return [column.values[code] for code in column.codes]


def test_rows_and_their_lines(tmp_path):
    table = read(tmp_path, 'a,b\n1," x "\n\n"2\n3",y\n4,\n')
    assert cells(table, "a") == ["1", "2\n3", "4"]
    assert cells(table, "b") == ["x", "y", ""]
    assert table.lines.tolist() == [2, 4, 6]
    assert table.first_line("a", [2]) == 6
    assert table.facts == []


def test_a_german_file(tmp_path):
    text = "Größe;Ort\r\n1,5;Köln\r\n2,5;Ulm\r\n".encode("latin-1")
    table = read(tmp_path, text)
    assert (table.separator, table.decimal) == (";", ",")
    assert cells(table, "Ort") == ["Köln", "Ulm"]
    facts = " ".join(table.facts)
    for word in ("Windows-1252", "semicolon", "comma, as in 1,5 (Größe)"):
        assert word in facts


def test_blanks_separate_what_nothing_else_does(tmp_path):
    text = 'name  "home town"   x\n Ann  "New  York" 1\nBo\t Ulm \t 2 \n\nCy \'s 3\n'
    table = read(tmp_path, text)
    assert cells(table, "name") == ["Ann", "Bo", "Cy"]
    assert cells(table, "home town") == ["New  York", "Ulm", "'s"]
    assert cells(table, "x") == ["1", "2", "3"]
    assert table.lines.tolist() == [2, 3, 5]
    assert cells(read(tmp_path, text, separator=" "), "x") == ["1", "2", "3"]
    with pytest.raises(TableFileError, match=r"Line 3 .* has 2 cells"):
        read(tmp_path, "a b c\n1 2 3\n4 5\n7 8 9\n")


def test_a_file_of_write_table(tmp_path):
    text = '"x" "kind"\n"1" 5.1 "setosa"\n"2" NA "a b"\n"3" 4.7 "setosa"\n'
    table = read(tmp_path, text)
    assert list(table.columns) == ["Unnamed: 0", "x", "kind"]
    assert cells(table, "Unnamed: 0") == ["1", "2", "3"]
    assert cells(table, "x") == ["5.1", "NA", "4.7"]
    assert cells(table, "kind") == ["setosa", "a b", "setosa"]


def test_lines_that_end_in_other_ways(tmp_path):
    for end in ("\r\n", "\r", "\n"):
        table = read(tmp_path, end.join(["a,b", "1,x", "2,y"]))
        assert cells(table, "b") == ["x", "y"]


def test_names(tmp_path):
    table = read(tmp_path, "sep=;\n;b;\n1;x;\n2;y;\n")
    assert list(table.columns) == ["Unnamed: 0", "b"]
    assert table.lines.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1\n", "Line 3 .* has 1 cells, and there are 2 names"),
        ("a,b\n1,2\n1,2,3\n", "Line 3 .* has 3 cells"),
        ('a,b\n1,2\n"1,2\n3,4\n', "Line 3 .* quote opened in it"),
        ("a,a\n1,2\n", "two columns of the name 'a': number 1 and 2"),
        ("1,2\n3,4\n", "must hold the names"),
        ("a\x1b,a\x1b\n1,2\n", r"'a\\\\x1b'"),
    ],
)
def test_what_is_no_table(text, words, tmp_path):
    with pytest.raises(TableFileError, match=words) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_too_many_columns_are_refused_quickly(tmp_path):
    line = ",".join(f"c{i}" for i in range(100_000))
    started = time.process_time()
    with pytest.raises(TableFileError, match="100000 columns"):
        read(tmp_path, f"{line}\n{line}\n")
    assert time.process_time() - started < 20


def test_equal_texts_are_kept_once(tmp_path):
    table = read(tmp_path, "a,b\n" + "x,1\n" * 1000)
    assert table.columns["a"].values == ["x"]
    assert table.columns["a"].counts().tolist() == [1000]
    taken = table.take(np.arange(1000) < 3)
    assert taken.n_rows == 3
    assert cells(taken, "b") == ["1"] * 3


def test_what_is_given_is_not_detected(tmp_path):
    table = read(tmp_path, "a;b\n1,5;x\n", separator=";", decimal=".")
    assert (table.decimal, list(table.columns)) == (".", ["a", "b"])
    assert read(tmp_path, "a;b\n1;x\n", usual_decimal=",").decimal == ","
    with pytest.raises(TableFileError, match="separator ','"):
        read(tmp_path, "a;b\n1,5;x\n", separator=",")
