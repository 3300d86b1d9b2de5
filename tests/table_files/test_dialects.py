import pytest

from skdnn._table_files.dialects import detect_dialect


@pytest.mark.parametrize(
    ("text", "separator", "quote"),
    [
        ("a,b\n1,2\n", ",", '"'),
        ("a;b\n1,5;2,5\n", ";", '"'),
        ("a;b;c\n1,5;2,5;x\n3,5;1,0;y\n", ";", '"'),
        ("Länge, cm;Breite, cm\n1,5;2,3\n1,7;2,9\n", ";", '"'),
        ("a\tb\n1,2\t3\n", "\t", '"'),
        ("a|b\nx, y|z\n", "|", '"'),
        ('a,b\n"x; y; z",2\n"u;v;w",3\n', ",", '"'),
        ("a,b\n'x, y',1\n'z, u',2\n", ",", "'"),
        ("name,b\nO'Neil,1\nD'Arcy,2\n", ",", '"'),
        ("a\n1\n2\n", ",", '"'),
        ("a;b;c\n1,5;2\n1,7;3\n", ";", '"'),  # ragged, but the separator is clear
        ("a b\n1,5 2,5\n3,5 1,0\n", " ", '"'),
        ("a  b\n1\t  x\n 2  y \n", " ", '"'),
        ("full name\tb\nA B\t1\nC D\t2\n", "\t", '"'),
        ("full name,b\nA B,1\nC D,2\n", ",", '"'),
    ],
)
def test_dialects(text, separator, quote):
    dialect = detect_dialect(text.splitlines(keepends=True))
    assert (dialect.separator, dialect.quote) == (separator, quote)


def test_the_hint_of_excel():
    dialect = detect_dialect(["sep=|\r\n", "a|b\r\n"])
    assert (dialect.separator, dialect.n_skipped) == ("|", 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a" "b"\n"1" 2 x\n"2" 3 y\n"3" 4 z\n', True),  # write.table of R
        ("a,b\nr,2,x\ns,3,y\nt,4,z\n", True),
        ("a,b\nr,2,\ns,3,\nt,4,\n", False),  # lines end in a separator
        ("a,b\nr,2,x\nr,3,y\nt,4,z\n", False),  # names that are not distinct
        ("a,b\nr,2,x\ns,3,y\nt,4\n", False),
        ("a,b\n,2,x\ns,3,y\nt,4,z\n", False),
        ("a,b,c\nr,2,x\ns,3,y\nt,4,z\n", False),
    ],
)
def test_names_of_rows(text, expected):
    dialect = detect_dialect(text.splitlines(keepends=True))
    assert dialect.has_row_names == expected


def test_facts():
    assert detect_dialect(["a,b\n"]).fact() is None
    assert detect_dialect(["a;b\n"]).fact() == "Separator: semicolon."
    assert "single quotes" in detect_dialect(["a,b\n", "'x, y',1\n"]).fact()
    rows = ["a b\n", "r 1 2\n", "s 1 2\n", "t 1 2\n"]
    fact = "Separator: blanks. The first cell of each row is its name."
    assert detect_dialect(rows).fact() == fact
    assert detect_dialect(["a:b\n"], ":").fact() == "Separator: ':'."
