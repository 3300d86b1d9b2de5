"""The encoding of a text file, and whether it is text at all.

UTF-8 and UTF-16 are recognised with certainty. Of other encodings, Windows-1252 (which
is Latin-1 with a few more characters) is assumed where few characters are not ASCII, as
in Western European languages; statistical detectors are wrong about such files, which
have too few of these characters to count.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from skdnn._runtime.names import visible
from skdnn._table_files.sources import Source
from skdnn._table_files.table_file_error import TableFileError

MAX_LINE = 4 * 1024**2  # bytes
_CHUNK = 1024**2
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Share of the letters outside of ASCII up to which a text is Western European.
_MOST_NOT_ASCII = 0.3
# Encodings of letters that are not Latin, and of Central Europe.
_NOT_WESTERN = (
    "cp1250", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_READ_CHARACTERS = 20
_NAMES = {
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
}


@dataclass(frozen=True)
class Encoding:
    """The name of a codec, and a sentence on it unless it is the usual one."""

    codec: str
    fact: str | None = None


def detect_encoding(source: Source, given: str | None = None) -> Encoding:
    """Return the encoding of a text file, after reading all of it once.

    Raises ``TableFileError`` for NUL bytes, lines of more than 4 MiB, encodings that
    are mixed, and an encoding that the file does not have.
    """
    if given is not None:
        _check_codec(given)
        _check_bytes(source, is_wide="16" in given or "32" in given)
        _check_decodes(source, given, f"not {given}. Name another one with --encoding")
        return Encoding(given, f"Encoding: {given}, as given.")
    with source.opened() as stream:
        head = stream.read(4096)
    marks = (codec for mark, codec in _MARKS.items() if head.startswith(mark))
    codec = next(marks, None) or _utf_16_without_mark(head)
    if codec is not None:
        _check_bytes(source, is_wide=codec != "utf-8-sig")
        _check_decodes(source, codec, f"not {_NAMES[codec]}, as its first bytes state")
        return Encoding(codec, f"Encoding: {_NAMES[codec]}.")
    _check_bytes(source, is_wide=False)
    if _first_undecodable(source, "utf-8") is None:
        return Encoding("utf-8")
    return _other_than_utf_8(source)


def text_of(stream: IO[bytes], encoding: Encoding) -> IO[str]:
    """Return opened bytes as text whose line ends are kept."""
    return io.TextIOWrapper(stream, encoding.codec, newline="")


def _check_codec(name: str) -> None:
    try:
        info = codecs.lookup(name)
    except LookupError as error:
        raise TableFileError(
            f"--encoding must be an encoding that Python knows, such as utf-8, cp1252, "
            f"latin-1, utf-16 or shift_jis. Got {name!r}."
        ) from error
    if not getattr(info, "_is_text_encoding", True):
        raise TableFileError(
            f"--encoding must be an encoding of text, such as utf-8. Got {name!r}."
        )


def _utf_16_without_mark(head: bytes) -> str | None:
    """Return UTF-16 if every other byte of a beginning is 0, as in Latin letters."""
    even, odd = head[0::2], head[1::2]
    if len(odd) < 4:
        return None
    if odd.count(0) > 0.9 * len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) > 0.9 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def _chunks(source: Source) -> Iterator[bytes]:
    with source.opened() as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _check_bytes(source: Source, *, is_wide: bool) -> None:
    """Raise for bytes that are not those of a text, and for endless lines."""
    n_lines, length = 0, 0
    for chunk in _chunks(source):
        at = -1 if is_wide else chunk.find(b"\0")
        if at >= 0:
            line = n_lines + chunk.count(b"\n", 0, at) + 1
            raise TableFileError(
                f"{source.name} is not a text file: line {line} has a NUL byte. Save "
                "the table again as CSV, or copy the file again if it is damaged."
            )
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        length = length + len(chunk) if end < 0 else len(chunk) - end - 1
        n_lines += chunk.count(b"\n")
        if length > MAX_LINE:
            raise TableFileError(
                f"{source.name} is not a table: line {n_lines + 1} has more than "
                f"{MAX_LINE // 1024**2} million bytes. A table has a line for each row."
            )


def _first_undecodable(source: Source, codec: str) -> int | None:
    """Return the line of the first bytes that are not of an encoding; None if all."""
    decoder = codecs.getincrementaldecoder(codec)()
    n_lines = 0
    for chunk in _chunks(source):
        try:
            n_lines += decoder.decode(chunk).count("\n")
        except UnicodeDecodeError as error:
            return n_lines + error.object.count(b"\n", 0, error.start) + 1
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return n_lines + 1
    return None


def _check_decodes(source: Source, codec: str, words: str) -> None:
    line = _first_undecodable(source, codec)
    if line is not None:
        raise TableFileError(f"Line {line} of {source.name} is {words}.")


def _other_than_utf_8(source: Source) -> Encoding:
    """Return Windows-1252 or Latin-1; raise if a text has neither."""
    first_utf_8 = first_other = example = None
    first_line = b""
    n_letters = n_not_ascii = 0
    is_latin_1 = False
    with source.opened() as stream:
        # lines are shorter than MAX_LINE, which was checked
        for number, line in enumerate(stream, start=1):
            if line.isascii():
                n_letters += sum(map(line.count, b"aeinorst"))
                continue
            n_not_ascii += sum(byte > 127 for byte in line)
            n_letters += len(line)
            try:
                line.decode("utf-8")
                first_utf_8 = first_utf_8 or number
            except UnicodeDecodeError as error:
                first_line = first_line or line
                first_other = first_other or number
                is_latin_1 |= any(byte in line for byte in b"\x81\x8d\x8f\x90\x9d")
                example = example or _word_around(line, error.start)
    if first_utf_8 is not None:
        raise TableFileError(
            f"{source.name} mixes encodings: line {first_utf_8} is UTF-8, and line "
            f"{first_other} is not ({example!r}). Save the parts in one encoding, or "
            "give --encoding cp1252 to read all lines by it."
        )
    if n_not_ascii > _MOST_NOT_ASCII * n_letters:
        raise TableFileError(
            f"{source.name} is not UTF-8, and {n_not_ascii} of its bytes are not "
            f"Western European. Name the encoding; line {first_other} would be "
            f"{_readings(first_line)}. Or save the table as UTF-8."
        )
    codec, name = ("latin-1", "Latin-1") if is_latin_1 else ("cp1252", "Windows-1252")
    return Encoding(
        codec,
        f"Encoding: {name}, as it is not UTF-8; line {first_other} has {example!r}. "
        "If that is wrong, name another with --encoding.",
    )


def _readings(line: bytes) -> str:
    """Return how a line reads in each usual encoding that it may have.

    A person sees which is right; detectors of encodings are wrong about short texts.
    """
    readings = []
    for codec in _NOT_WESTERN:
        try:
            text = line.decode(codec).strip()
        except UnicodeDecodeError:
            continue
        others = [character for character in text if not character.isascii()]
        if sum(map(str.isalpha, others)) > 0.8 * len(others):
            shown = visible(text[:_READ_CHARACTERS])
            readings.append(f"{shown!r} with --encoding {codec}")
    return "; ".join(readings) or "in none of the usual ones, such as cp1251"


def _word_around(line: bytes, at: int) -> str:
    """Return the word in a line that holds a byte, read as Windows-1252."""
    text = line.decode("cp1252", errors="replace")
    start = at
    while start > 0 and text[start - 1].isalnum() and at - start < 20:
        start -= 1
    end = at + 1
    while end < len(text) and text[end].isalnum() and end - at < 20:
        end += 1
    return visible(text[start:end])
