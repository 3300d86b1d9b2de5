"""The hook of MkDocs that runs tutorials: outputs are shown, faults end the build."""

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

# the packages of the extra "docs", which only one job of CI installs
pytest.importorskip("nbclient")
pytest.importorskip("jupytext")
exceptions = pytest.importorskip("mkdocs.exceptions")

HOOK = Path(__file__).parent.parent / "docs" / "run_tutorials.py"
CONFIG = {"site_url": "https://example.org"}
PAGE = """# Title

See [a page](../guide/times.md#reports).

```python
import matplotlib.pyplot as plt

print("<b>")
```

```python
plt.subplots()[1]
```
"""


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("run_tutorials", HOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_file(text, name="tutorials/new.md"):
    return SimpleNamespace(src_uri=name, content_string=text)


def test_outputs_follow_their_cells(hook):
    file = a_file(PAGE)
    page = SimpleNamespace(file=file)
    marked = hook.on_page_markdown(PAGE, page, None, None)
    assert "# Title\n\n[Download this page as a notebook](new.ipynb)" in marked
    shown = hook.on_page_content(marked, page, None, None)
    first, second = shown.split("```python")[1:]
    assert '<div class="output">\n<pre>&lt;b&gt;' in first
    assert re.search('<div class="output">\n<p><img src="data:image/png', second)
    assert "Axes" not in second


def test_downloaded_notebooks_link_the_site(hook):
    file = a_file(PAGE)
    # private: what the notebook in the site is made of
    notebook = hook._with_full_links(hook.run(PAGE), file, CONFIG["site_url"])
    source = notebook.cells[0].source
    assert "(https://example.org/guide/times/#reports)" in source


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings; warnings.warn('careful')", "careful"),
    ],
)
def test_errors_and_warnings_end_the_build(hook, code, words):
    file = a_file(f"# Title\n\n```python\n{code}\n```\n")
    with pytest.raises(exceptions.PluginError, match=words) as raised:
        hook.on_files([file], CONFIG)
    assert "tutorials/new.md" in str(raised.value)


def test_other_pages_are_left_alone(hook):
    file = a_file(PAGE, "guide/new.md")
    page = SimpleNamespace(file=file)
    assert hook.on_files([file], CONFIG) == [file]
    assert hook.on_page_markdown(PAGE, page, None, None) is PAGE
    assert hook.on_page_content(PAGE, page, None, None) is PAGE
