import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn._commands.model_notes import ModelNotes, checksum, read_notes
from skdnn._commands.training import TrainingData
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.table_reader import read_table
from skdnn._table_files.table_reading import learn_table


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "a.csv"
    rows = [
        f"{'' if i % 5 == 0 else i / 2},{'ab'[i % 2]},{i % 3 > 0},{i % 4},{'xy'[i > 9]}"
        for i in range(40)
    ]
    path.write_text("\n".join(["n,s,b,i,y", *rows]), "utf-8")
    return TrainingData(learn_table(read_table(str(path)), "y"), "y", ["x", "y"])


def test_rows_are_kept_as_data(data, tmp_path):
    notes = ModelNotes.of(data, tmp_path / "a.csv", 0, 1000)
    kept = ModelNotes(**json.loads(json.dumps(vars(notes), default=str))).kept_rows()
    X = data.learned.X
    assert list(kept) == list(X)
    for name in X:
        for one, other in zip(kept[name], X[name], strict=True):
            assert one == other or (pd.isna(one) and pd.isna(other))
    assert len(ModelNotes.of(data, tmp_path, 0, 7).kept_rows()) == 7
    assert ModelNotes.of(data, tmp_path, 0, 0).kept_rows() is None


def test_a_checksum_is_of_rows_in_any_order(data):
    X = data.learned.X
    assert checksum(X) == checksum(X.iloc[::-1])
    assert checksum(X) != checksum(X.iloc[1:])
    assert checksum(X) != checksum(X.assign(n=np.arange(40)))


@pytest.mark.parametrize(
    ("n_kept", "rows", "overlap", "n_shared"),
    [
        (0, range(40), "all", None),  # by the checksum, in any order
        (0, range(39, -1, -1), "all", None),
        (
            0,
            range(10),
            "unknown",
            None,
        ),  # some of them, which the checksum does not show
        (
            0,
            range(40, 50),
            "unknown",
            None,
        ),  # none of them, which it does not show either
        (40, range(10), "all", None),
        (40, range(35, 50), "some", 5),
        (40, range(40, 50), "none", None),
        (7, range(50), "some", 7),
        (7, range(40, 50), "unknown", None),
    ],
)
def test_which_rows_are_those_of_the_training(
    data, tmp_path, n_kept, rows, overlap, n_shared
):
    X = data.learned.X
    # ten more rows, each with a number that no other has
    new = X.iloc[:10].assign(n=np.arange(100.0, 110.0))
    everything = pd.concat([X.assign(n=np.arange(40.0)), new], ignore_index=True)
    learned = replace(data.learned, X=everything.iloc[:40])
    notes = ModelNotes.of(replace(data, learned=learned), tmp_path, 0, n_kept)
    notes = ModelNotes(**json.loads(json.dumps(vars(notes), default=str)))
    origin = notes.origin_of(everything.iloc[list(rows)])
    assert (origin.overlap, origin.n_shared) == (overlap, n_shared)
    assert origin.is_command


def test_there_is_no_file(tmp_path):
    with pytest.raises(TableFileError, match="skdnn train"):
        read_notes(tmp_path / "a.skops")
