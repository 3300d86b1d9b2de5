import numpy as np
import pandas as pd
import pytest
from optional import require


@pytest.fixture(scope="session")
def town_table():
    """Rows sorted by class, with numbers, missing values, booleans and words."""
    rng = np.random.default_rng(0)
    n = 4000
    X = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 90, n)),
            "town": rng.choice(
                ["Ulm", "Bonn", "Köln", None], n, p=[0.5, 0.3, 0.1, 0.1]
            ),
            "wide": rng.choice([f"level {i}" for i in range(20)], n),
            "is_new": rng.random(n) < 0.3,
        }
    )
    signal = X["size"] + 2 * (X["town"] == "Ulm") - X["is_new"]
    y = np.where(signal + 0.5 * rng.normal(size=n) > 0.8, "yes", "no")
    order = np.argsort(y, kind="stable")
    return X.iloc[order].reset_index(drop=True), y[order]


@pytest.fixture(scope="session")
def town_folder(town_table, tmp_path_factory):
    """The table as a folder of three Parquet files, with a column "target"."""
    pa, pq = require("pyarrow"), require("pyarrow.parquet")
    X, y = town_table
    folder = tmp_path_factory.mktemp("towns")
    table = pa.Table.from_pandas(X.assign(target=y), preserve_index=False)
    for i, (start, stop) in enumerate([(0, 1500), (1500, 1507), (1507, len(y))]):
        part = table.slice(start, stop - start)
        pq.write_table(part, folder / f"{i}.parquet", row_group_size=700)
    return folder
