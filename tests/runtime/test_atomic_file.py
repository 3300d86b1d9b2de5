"""Files are complete or left unchanged, whatever happens while they are written."""

import os
import shutil
import subprocess
import sys

import pytest

from skdnn._runtime.atomic_file import Writer

WRITER = Writer("write", "report.html")


@pytest.mark.skipif(os.name != "posix", reason="needs limits of a process")
def test_full_disk_leaves_the_old_file(tmp_path):
    target = tmp_path / "report.html"
    target.write_text("old")
    code = """
import resource, signal, sys
from skdnn._runtime.atomic_file import Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    Writer("write", "file").write(sys.argv[1], lambda: b"x" * 10**5)
except OSError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert str(target) in done.stdout
    assert "free space" in done.stdout
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_that_goes_while_the_page_is_made(tmp_path):
    target = tmp_path / "folder" / "report.html"
    target.parent.mkdir()

    def page():
        shutil.rmtree(target.parent)
        return b"page"

    with pytest.raises(FileNotFoundError, match="in a folder that exists"):
        WRITER.write(target, page)


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_files_of_killed_writers_are_removed_by_the_next(tmp_path):
    code = """
import os, signal, sys, time
from skdnn._runtime.atomic_file import Writer
def page():
    print("making", flush=True)
    time.sleep(60)
Writer("write", "file").write(sys.argv[1], page)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "first.html")]
    writers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "making\n"
    writers[0].kill()
    writers[0].wait()
    assert len(list(tmp_path.iterdir())) == 2
    WRITER.write(tmp_path / "second.html", lambda: b"page")
    # that of the writer who lives is left alone
    names = sorted(path.suffix for path in tmp_path.iterdir())
    assert names == [".html", ".tmp"]
    writers[1].kill()
    writers[1].wait()
    WRITER.write(tmp_path / "second.html", lambda: b"page")
    assert [path.name for path in tmp_path.iterdir()] == ["second.html"]
    for writer in writers:
        writer.stdout.close()
