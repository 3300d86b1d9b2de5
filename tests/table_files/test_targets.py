import numpy as np
import pytest

from skdnn._table_files.raw_table import RawColumn, RawTable
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.targets import (
    check_target,
    find_class,
    find_column,
    find_positive,
    read_labels,
)


def table_of(cells):
    values = list(dict.fromkeys(cells))
    codes = np.array([values.index(cell) for cell in cells])
    return RawTable("t.csv", {"y": RawColumn(codes, values)}, np.arange(len(cells)) + 2)


def labels_of(cells):
    table = table_of(cells)
    labels, has_label = read_labels(table, "y")
    return table, labels[has_label]


def test_labels_are_whole_numbers_or_texts():
    assert labels_of(["1", "0", "NA", "10"])[1].tolist() == [1, 0, 10]
    assert labels_of(["1", "a", "?"])[1].tolist() == ["1", "a"]
    assert labels_of(["01", "02"])[1].tolist() == ["01", "02"]
    assert labels_of(["+", "-"])[1].tolist() == ["+", "-"]
    assert labels_of([True, False, None])[1].tolist() == ["true", "false"]
    assert labels_of([1.0, 2.0])[1].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["a", "a"], "only 'a'"),
        (["?", ""], "Got no value"),
        ([f"{i}.5" for i in range(11)] * 9, "11 different numbers"),
        ([str(i) for i in range(21)] * 3, "21 different numbers"),
        ([str(i) for i in range(51)] * 30, "51 different numbers"),
        ([f"text {i}" for i in range(30)], "30 different texts"),
    ],
)
def test_what_is_not_a_class(cells, words):
    table, labels = labels_of(cells)
    with pytest.raises(TableFileError, match=words):
        check_target(table, "y", labels)


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b"],
        [str(i) for i in range(26)] * 20,
        [chr(65 + i) for i in range(26)] * 3,
        ["0.5", "1.5"] * 9,
    ],
)
def test_what_is_a_class(cells):
    table, labels = labels_of(cells)
    check_target(table, "y", labels)


@pytest.mark.parametrize(
    ("labels", "given", "positive"),
    [
        (["no", "yes", "yes"], None, "yes"),
        ([0, 1, 1], None, 1),
        (["bad", "good", "good"], None, "bad"),
        (["a", "b", "b"], None, "a"),
        (["a", "a", "b"], None, "b"),
        (["a", "b"], None, "b"),
        (["no", "yes", "yes"], "no", "no"),
        ([0, 1, 1], "0", 0),
        (["a", "b", "c"], None, None),
    ],
)
def test_the_positive_class(labels, given, positive):
    chosen, fact = find_positive(np.array(labels), given)
    assert chosen == positive
    assert (fact is None) == (positive is None)


def test_misspelled_names():
    with pytest.raises(TableFileError, match="Did you mean 'species'"):
        find_column("specis", ["a", "species"], "--target", "t.csv")
    with pytest.raises(TableFileError, match="It has a, b"):
        find_column("zzzz", ["a", "b"], "--target", "t.csv")
    with pytest.raises(TableFileError, match="Did you mean 'yes'"):
        find_class("yess", ["no", "yes"], "--positive")
    with pytest.raises(TableFileError, match="for two classes"):
        find_positive(np.array(["a", "b", "c"]), "a")
