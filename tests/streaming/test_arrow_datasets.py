import shutil

import numpy as np
import pytest
from optional import require

from skdnn._streaming.arrow_datasets import ArrowDataset

pa, ds, pq = (
    require("pyarrow"),
    require("pyarrow.dataset"),
    require("pyarrow.parquet"),
)


def read(source, names=None):
    return pa.concat_tables(source.parts(names)).to_pandas()


def test_rows_are_in_the_order_of_the_files(town_folder, town_table, streams_all):
    source = ArrowDataset(ds.dataset(town_folder))
    assert source.count_rows() == len(town_table[1])
    frame = read(source, ["size", "target"])
    np.testing.assert_array_equal(frame["size"], town_table[0]["size"])
    np.testing.assert_array_equal(frame["target"], town_table[1])
    assert list(frame) == ["size", "target"]
    assert max(map(len, source.parts(None))) <= 1024


def test_filtered_and_partitioned_datasets(town_folder, tmp_path):
    filtered = ArrowDataset(ds.dataset(town_folder).filter(ds.field("size") > 0))
    filtered.check(filtered.names)
    assert read(filtered)["size"].min() > 0
    table = ds.dataset(town_folder).to_table()
    ds.write_dataset(table, tmp_path, format="parquet", partitioning=["target"],
                     partitioning_flavor="hive")  # fmt: skip
    parts = ArrowDataset(ds.dataset(tmp_path, partitioning="hive"))
    parts.check(parts.names)
    assert sorted(read(parts)["target"].unique()) == ["no", "yes"]


@pytest.mark.parametrize("change", ["type", "name"])
def test_a_file_of_another_schema_is_named(town_folder, tmp_path, change):
    folder = shutil.copytree(town_folder, tmp_path / "towns")
    table = pq.read_table(folder / "1.parquet")
    texts = pa.array(["one"] * len(table))
    at = table.schema.get_field_index("size")
    name = "size" if change == "type" else "height"
    pq.write_table(table.set_column(at, name, texts), folder / "1.parquet")
    source = ArrowDataset(ds.dataset(folder))
    got = "Got string for 'size'" if change == "type" else "Got no such column"
    with pytest.raises(ValueError, match=rf"{got}.*1\.parquet"):
        source.check(source.names)
    source.check(["age", "target"])


def test_numbers_of_other_widths_are_one_kind(tmp_path):
    pq.write_table(pa.table({"a": [1.5, 2.5]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"a": pa.array([3], pa.int32())}), tmp_path / "1.parquet")
    source = ArrowDataset(ds.dataset(tmp_path))
    source.check(source.names)
    assert read(source)["a"].tolist() == [1.5, 2.5, 3]


def test_a_corrupt_file_is_named(town_folder, tmp_path):
    folder = shutil.copytree(town_folder, tmp_path / "towns")
    content = (folder / "2.parquet").read_bytes()
    (folder / "2.parquet").write_bytes(content[: len(content) // 2])
    source = ArrowDataset(ds.dataset(folder))
    with pytest.raises(ValueError, match=r"must be complete\. Got .*2\.parquet"):
        source.check(source.names)


def test_a_file_that_is_damaged_inside_is_named(town_folder, tmp_path):
    folder = shutil.copytree(town_folder, tmp_path / "towns")
    content = bytearray((folder / "2.parquet").read_bytes())
    content[4:3000] = bytes(2996)  # pages, not the footer
    (folder / "2.parquet").write_bytes(bytes(content))
    source = ArrowDataset(ds.dataset(folder))
    source.check(source.names)
    with pytest.raises(ValueError, match=r"error in reading .*2\.parquet"):
        read(source)
