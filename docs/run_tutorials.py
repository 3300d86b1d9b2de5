"""Run the tutorials while the site is built, and show what their cells return.

MkDocs calls this file (`hooks` in mkdocs.yml). A tutorial is a page in docs/tutorials
whose Python blocks are the cells of a notebook. Each one runs in a kernel of its own;
an error, or a line on stderr such as a warning, ends the build. The notebook with its
outputs is a file of the site, next to the page.
"""

import asyncio
import base64
import html
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

FOLDER = "tutorials"
_KERNELS = 2  # at the same time, each with one thread of linear algebra and trees
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
_LONGEST = 300  # seconds of a cell
_CELL = re.compile(r"^```python\n(.*?)^```\n?", flags=re.M | re.S)
_PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
_COLOURS = 128
_AXES = re.compile(r"<Axes|array\(\[+<Axes")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(#[^)]*)?\)")


@cache
def run(source: str) -> nbformat.NotebookNode:
    """Return the notebook of a page in Markdown, with the outputs of its cells."""
    notebook = jupytext.reads(source, fmt="md")
    with TemporaryDirectory() as folder:  # where cells write files
        client = NotebookClient(
            notebook,
            timeout=_LONGEST,
            kernel_name="python3",
            # kernels warn that others on the machine could read their sockets
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        # `client.execute` would leave its event loop open
        asyncio.run(client.async_execute(env=os.environ | _ENVIRONMENT))
    for output in (out for cell in _code(notebook) for out in cell.outputs):
        if output.output_type == "stream" and output.name == "stderr":
            raise ValueError(f"A cell wrote to stderr: {output.text}")
    return notebook


def outputs_html(cell: nbformat.NotebookNode) -> str:
    """Return the outputs of a cell as HTML; empty if it has none."""
    parts = [_shown(output) for output in cell.outputs]
    shown = "\n".join(part for part in parts if part)
    return f'<div class="output">\n{shown}\n</div>' if shown else ""


def _shown(output: nbformat.NotebookNode) -> str:
    if output.output_type == "stream":
        return f"<pre>{html.escape(_ANSI.sub('', output.text))}</pre>"
    data = output.data
    if "text/html" in data:
        return _PICTURE.sub(lambda match: _smaller(match[1]), data["text/html"])
    if "image/png" in data:
        picture = _smaller(data["image/png"].replace("\n", ""))
        return f'<p><img src="{picture}" alt="The plot"></p>'
    text = data["text/plain"]
    # the value of a call that draws, beside its picture
    return "" if _AXES.match(text) else f"<pre>{html.escape(text)}</pre>"


def _smaller(picture: str) -> str:
    """Return the address of a PNG of few colours; `picture` is in base64."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(_COLOURS).save(buffer, format="png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _is_tutorial(file: File) -> bool:
    path = Path(file.src_uri)
    return path.parent.name == FOLDER and path.suffix == ".md" and path.stem != "index"


def on_files(files: Files, config: Any) -> Files:
    """Run all tutorials, and add their notebooks to the files of the site."""
    pages = [file for file in files if _is_tutorial(file)]

    def try_to_run(page: File) -> nbformat.NotebookNode:
        try:
            return run(page.content_string)
        except (CellExecutionError, ValueError) as error:
            raise PluginError(f"{page.src_uri}: {_ANSI.sub('', str(error))}") from error

    site = config["site_url"].rstrip("/")
    with ThreadPoolExecutor(_KERNELS) as pool:
        notebooks = list(pool.map(try_to_run, pages))
    for page, notebook in zip(pages, notebooks, strict=True):
        name = page.src_uri.removesuffix(".md") + ".ipynb"
        text = nbformat.writes(_with_full_links(notebook, page, site))
        files.append(File.generated(config, name, content=text))
    return files


def _with_full_links(
    notebook: nbformat.NotebookNode, page: File, site: str
) -> nbformat.NotebookNode:
    """Return a copy whose links lead from a downloaded notebook to the site."""
    copy = nbformat.from_dict(notebook)
    folder = Path("/", page.src_uri).parent

    def full(match: re.Match[str]) -> str:
        target = (folder / match[1]).resolve().as_posix().removesuffix(".md")
        return f"]({site}{target}/{match[2] or ''})"

    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(full, cell.source)
    return copy


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Mark where the outputs of a tutorial go, and link its notebook."""
    if not _is_tutorial(page.file):
        return markdown
    numbers = iter(range(len(markdown)))
    marked = _CELL.sub(lambda cell: f"{cell[0]}\n{_mark(next(numbers))}\n", markdown)
    name = Path(page.file.src_uri).with_suffix(".ipynb").name
    title, _, rest = marked.partition("\n")
    return f"{title}\n\n[Download this page as a notebook]({name}){{.notebook}}\n{rest}"


def on_page_content(content: str, page: Any, config: Any, files: Files) -> str:
    """Put the outputs of a tutorial after their cells."""
    if not _is_tutorial(page.file):
        return content
    for number, cell in enumerate(_code(run(page.file.content_string))):
        assert _mark(number) in content, f"{page.file.src_uri}: cell {number}"
        content = content.replace(_mark(number), outputs_html(cell))
    return content


def _mark(number: int) -> str:
    return f'<div data-cell="{number}"></div>'
