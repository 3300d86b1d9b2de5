import numpy as np
import pandas as pd
import pytest

from skdnn._streaming.table_source import TableSource


class Parts(TableSource):
    kind = "table"

    def __init__(self, parts, names=None):
        self._parts, self.names = parts, names
        self.n_columns = parts[0].shape[1]

    def count_rows(self):
        return sum(map(len, self._parts))

    def parts(self, names):
        yield from self._parts


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame])
@pytest.mark.parametrize("lengths", [[10], [3, 0, 7], [1] * 10, [4, 4, 2]])
def test_blocks_do_not_depend_on_parts(lengths, kind):
    X = np.arange(20.0).reshape(10, 2)
    parts = [kind(part) for part in np.split(X, np.cumsum(lengths)[:-1])]
    blocks = list(Parts(parts).blocks(None, 4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), X)


def test_a_missing_column_is_named():
    source = Parts([np.zeros((1, 2))], ["size", "age"])
    with pytest.raises(
        ValueError, match=r"y must be a column of the table. Got 'sizes'.*size"
    ):
        source.require(["sizes"], "y")
    with pytest.raises(ValueError, match=r"The columns are: \['size', 'age'\]"):
        source.require(["nothing"], "y")
