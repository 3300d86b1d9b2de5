import numpy as np
import pandas as pd
import pytest

from skdnn._streaming.table_source import TableSource


class Pieces(TableSource):
    kind = "table"

    def __init__(self, pieces, names=None):
        self._pieces, self.names = pieces, names
        self.n_columns = pieces[0].shape[1]

    def count_rows(self):
        return sum(map(len, self._pieces))

    def pieces(self, names):
        yield from self._pieces


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame])
@pytest.mark.parametrize("lengths", [[10], [3, 0, 7], [1] * 10, [4, 4, 2]])
def test_blocks_do_not_depend_on_pieces(lengths, kind):
    X = np.arange(20.0).reshape(10, 2)
    pieces = [kind(part) for part in np.split(X, np.cumsum(lengths)[:-1])]
    blocks = list(Pieces(pieces).blocks(None, 4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), X)


def test_a_missing_column_is_named():
    source = Pieces([np.zeros((1, 2))], ["size", "age"])
    with pytest.raises(
        ValueError, match=r"y must be a column of the table. Got 'sise'.*size"
    ):
        source.require(["sise"], "y")
    with pytest.raises(ValueError, match=r"The columns are: \['size', 'age'\]"):
        source.require(["nothing"], "y")
