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
    ],
)
def test_dialects(text, separator, quote):
    dialect = detect_dialect(text.splitlines(keepends=True))
    assert (dialect.separator, dialect.quote) == (separator, quote)


def test_the_hint_of_excel():
    dialect = detect_dialect(["sep=|\r\n", "a|b\r\n"])
    assert (dialect.separator, dialect.n_skipped) == ("|", 1)


def test_facts():
    assert detect_dialect(["a,b\n"]).fact() is None
    assert detect_dialect(["a;b\n"]).fact() == "Separator: semicolon."
    assert "single quotes" in detect_dialect(["a,b\n", "'x, y',1\n"]).fact()
    assert detect_dialect(["a:b\n"], ":").fact() == "Separator: ':'."
