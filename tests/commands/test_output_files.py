from pathlib import Path

import pytest

from skdnn._commands.output_files import check_output, default_output
from skdnn._table_files.table_file_error import TableFileError


def test_outputs(tmp_path):
    path = tmp_path / "a.csv"
    check_output(path, force=False)
    path.touch()
    with pytest.raises(TableFileError, match="--force"):
        check_output(path, force=False)
    check_output(path, force=True)
    with pytest.raises(TableFileError, match="another file than the input"):
        check_output(path, force=True, inputs=(tmp_path / "." / "a.csv",))
    for other in (tmp_path, tmp_path / "missing" / "a.csv"):
        with pytest.raises(OSError, match="--output"):
            check_output(other, force=True)


def test_default_names():
    assert default_output(Path("x/data.csv.gz"), ".skops") == Path("data.skops")
    assert default_output(Path("-"), "-report.html") == Path("table-report.html")
