import pytest

from skdnn._runtime.names import free_name, shorten, visible


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("petal", 5, "petal"),
        ("", 5, ""),
        ("a" * 100, 60, "a" * 40 + "…" + "a" * 19),
        ("abcdefghij", 5, "abc…j"),
        ("abcdefghij", 2, "a…"),
        ("abcdefghij", 1, "…"),
    ],
)
def test_long_names_lose_their_middle(name, width, expected):
    assert shorten(name, width) == expected
    assert len(shorten(name, width)) <= width


def test_names_that_differ_at_their_ends_stay_different():
    names = [f"measurement of the {i}th sensor, morning {i}" for i in range(10)]
    assert len({shorten(name, 22) for name in names}) == 10


@pytest.mark.parametrize("width", [9, 13, 22, 33])
def test_names_that_differ_in_their_middle_are_cut_differently(width):
    names = [f"gene_expression_{gene}_in_tissue_normalised" for gene in "ABCDEF"]
    shown = [shorten(name, width, names) for name in names]
    assert len(set(shown)) == 6
    assert all(len(text) <= width for text in shown)
    assert shown == [shorten(name, width, reversed(names)) for name in names]
    ends = ["a" * 60, "a" * 61, "a" * 70]
    assert len({shorten(name, width, ends) for name in ends}) == 3
    # others change nothing, and the same name is not another
    assert shorten(names[0], width, [names[0], "b"]) == shorten(names[0], width)


def test_names_that_differ_at_many_places_are_numbered():
    names = [f"{'a' * 20}{i:07b}{'b' * 20}" for i in range(128)]
    shown = [shorten(name, 13, names) for name in names]
    assert len(set(shown)) == 128
    assert all(len(text) <= 13 for text in shown)


def test_invisible_characters_are_shown_and_stay_different():
    bad = [*map(chr, [*range(32), *range(127, 160)]), "\u202e", "\u2067", "\ud800"]
    shown = [visible(f"a{char}b") for char in bad]
    assert len(set(shown)) == len(bad)
    assert all(text.isprintable() for text in shown)
    assert visible("\x0c") == shorten("\x0c", 9) == "\\x0c"
    assert visible("größe, 年齢, $a$ \\n") == "größe, 年齢, $a$ \\n"
    assert visible("a\nb\x00", keep="\n") == "a\nb\\x00"


def test_names_that_are_taken_get_underscores():
    assert free_name("sample", ["a"]) == "sample"
    assert free_name("sample", ["sample", "sample_"]) == "sample__"
