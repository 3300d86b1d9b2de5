import resource
import sys

import pytest

from skdnn._table_files.encodings import detect_encoding, text_of
from skdnn._table_files.sources import open_source
from skdnn._table_files.table_file_error import TableFileError

TEXT = "Größe,Straße\n1,Köln\n2,München\n"


def source(tmp_path, data):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    return open_source(str(path))


@pytest.mark.parametrize(
    ("codec", "expected", "words"),
    [
        ("utf-8", "utf-8", None),
        ("utf-8-sig", "utf-8-sig", "byte order mark"),
        ("utf-16", "utf-16", "UTF-16"),
        ("utf-16-le", "utf-16-le", "UTF-16"),
        ("utf-16-be", "utf-16-be", "UTF-16"),
        ("utf-32", "utf-32", "UTF-32"),
        ("latin-1", "cp1252", "line 1 has 'Größe'"),
        ("cp1252", "cp1252", "Windows-1252"),
    ],
)
def test_encodings(codec, expected, words, tmp_path):
    file = source(tmp_path, TEXT.encode(codec))
    encoding = detect_encoding(file)
    assert encoding.codec == expected
    assert encoding.fact is None if words is None else words in encoding.fact
    with file.opened() as stream, text_of(stream, encoding) as text:
        assert text.read() == TEXT


def test_latin_1_has_characters_that_windows_has_not(tmp_path):
    file = source(tmp_path, b"a,b\nab\x81c,1\nlong text of letters,2\n")
    assert detect_encoding(file).codec == "latin-1"


def test_an_encoding_that_is_given(tmp_path):
    text = "возраст,пол\n23,муж\n"
    file = source(tmp_path, text.encode("cp1251"))
    with pytest.raises(TableFileError) as caught:
        detect_encoding(file)
    message = str(caught.value)
    assert "'возраст,пол' with --encoding cp1251" in message
    for other in ("cp1253", "koi8_r", "gb18030"):
        try:
            reads = repr(text.splitlines()[0].encode("cp1251").decode(other))
        except UnicodeDecodeError:
            assert other not in message
        else:
            assert f"{reads} with --encoding {other}" in message
    encoding = detect_encoding(file, "cp1251")
    with file.opened() as stream, text_of(stream, encoding) as lines:
        assert lines.read() == text
    for wrong, words in [
        ("utf-8", "Line 1 of a.csv is not utf-8"),
        ("klingon", "must be an encoding that Python knows"),
        ("base64", "must be an encoding of text"),
    ]:
        with pytest.raises(TableFileError, match=words):
            detect_encoding(file, wrong)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("a,b\nKöln,1\n".encode() + "Köln,2\n".encode("latin-1"), "line 2 .* line 3"),
        (b"a,b\n1,2\n1,\x00\n", "line 3 has a NUL byte"),
        (bytes(range(128, 256)) * 9, "not Western European"),
        ("ab\n".encode("utf-16")[:-1], "Line . of a.csv is not UTF-16"),
    ],
)
def test_what_is_not_text_in_one_encoding(data, words, tmp_path):
    with pytest.raises(TableFileError, match=words):
        detect_encoding(source(tmp_path, data))


def test_an_endless_line_is_refused_in_little_memory(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        for _ in range(100):
            file.write(b"a" * 1024**2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TableFileError, match="line 3 has more than 4 million bytes"):
        detect_encoding(open_source(str(path)))
    if sys.platform == "linux":  # elsewhere the unit is another
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 30 * 1024  # KiB
