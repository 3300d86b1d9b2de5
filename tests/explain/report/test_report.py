import io
import json
import os
import stat
from pathlib import Path

import pytest

from skdnn.explain._report.report import Report
from skdnn.explain._report.summary import summarise


@pytest.fixture
def made(make_evidence):
    return Report(summarise(make_evidence(n_rows=12)))


class TestWriteHtml:
    def test_path_text_and_bytes_hold_the_same_page(self, made, tmp_path):
        target = tmp_path / "report.html"
        made.write_html(target)
        made.write_html(str(tmp_path / "again.html"))
        text, data = io.StringIO(), io.BytesIO()
        made.write_html(text)
        made.write_html(data)
        page = target.read_bytes()
        assert page == (tmp_path / "again.html").read_bytes() == data.getvalue()
        assert page == text.getvalue().encode()
        assert page.startswith(b"<!doctype html>")
        assert {p.name for p in tmp_path.iterdir()} == {"report.html", "again.html"}

    def test_mode_of_a_new_file_is_that_of_any_other(self, made, tmp_path):
        (tmp_path / "other").touch()
        made.write_html(tmp_path / "report.html")
        modes = {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
        assert len(modes) == 1

    def test_old_file_is_replaced_and_keeps_its_mode(self, made, tmp_path):
        target = tmp_path / "report.html"
        target.write_text("old")
        target.chmod(0o640)
        made.write_html(target)
        assert target.read_text().startswith("<!doctype html>")
        assert stat.S_IMODE(target.stat().st_mode) == 0o640

    def test_link_is_followed(self, made, tmp_path):
        target, link = tmp_path / "report.html", tmp_path / "link.html"
        target.write_text("old")
        link.symlink_to(target)
        made.write_html(link)
        assert link.is_symlink()
        assert target.read_text().startswith("<!doctype html>")

    def test_failure_leaves_the_old_file(self, made, tmp_path, monkeypatch):
        target = tmp_path / "report.html"
        target.write_text("old")

        def fail(self):
            raise MemoryError

        monkeypatch.setattr(Report, "html", fail)
        with pytest.raises(MemoryError):
            made.write_html(target)
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]

    @pytest.mark.parametrize(
        ("name", "error", "remedy"),
        [
            ("no/such/report.html", FileNotFoundError, "Create it first"),
            ("", IsADirectoryError, "report.html"),
            ("read-only.html", PermissionError, "make the file writable"),
            ("n" * 300 + ".html", OSError, "Give a path"),
        ],
    )
    def test_paths_that_cannot_be_written(
        self, made, tmp_path, name, error, remedy, monkeypatch
    ):
        old = tmp_path / "read-only.html"
        old.write_text("old")
        old.chmod(0o444)
        monkeypatch.setattr(Report, "html", lambda self: pytest.fail("rendered"))
        with pytest.raises(error, match=remedy):
            made.write_html(tmp_path / name)
        assert old.read_text() == "old"
        assert list(tmp_path.iterdir()) == [old]

    @pytest.mark.skipif(os.name != "posix", reason="needs /dev/null")
    def test_device_is_written_to_and_not_replaced(self, made):
        made.write_html("/dev/null")
        assert Path("/dev/null").is_char_device()


def test_to_dict_is_a_copy_and_json(made):
    first = made.to_dict()
    first["scores"].clear()
    assert made.to_dict()["scores"]
    json.dumps(made.to_dict(), allow_nan=False)


def test_a_dict_read_back_gives_the_same_page(made):
    again = Report(json.loads(json.dumps(made.to_dict())))
    assert again.html() == made.html()


def test_repr_names_the_next_step(made):
    assert "write_html(path)" in repr(made)
