"""The page as one HTML file, which works by double click from a disk."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping

from .runtime import SCRIPT

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob: 'wasm-unsafe-eval'; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src blob: data:"
)


def single_file(files: Mapping[str, bytes]) -> bytes:
    """One HTML file made of the page's files: its scripts inline, all else in base64 beside them.

    Module workers do not start from a file on a disk, so the worker's modules are joined into one
    classic script. The page's policy forbids every connection.
    """
    text = {name: files[name].decode() for name in files if name.endswith((".js", ".css", ".html"))}
    worker = "\n".join(
        (
            _classic(files[SCRIPT].decode()),
            *(_plain(text[name]) for name in ("dreaming.js", "sessions.js", "worker.js")),
        )
    )
    script = "\n".join(_plain(text[name]) for name in ("dreaming.js", "saving.js", "page.js"))
    kept = {
        name: base64.b64encode(data).decode()
        for name, data in files.items()
        if name.startswith(("graphs/", "samples/")) or name.endswith((".gz", ".json"))
    }
    kept["worker.js"] = base64.b64encode(worker.encode()).decode()
    page = re.sub(
        r'content="default-src[^"]*"', lambda _: f'content="{_POLICY}"', text["index.html"]
    )
    page = page.replace(
        '<link rel="stylesheet" href="style.css">', f"<style>\n{text['style.css']}</style>"
    )
    page = page.replace('  <script type="module" src="page.js"></script>\n', "")
    page = page.replace(' <a href="LICENSES.txt">Licences</a>', "")
    licences = f"<!--\n{files['LICENSES.txt'].decode()}-->\n"
    data = f'<script type="application/json" id="embedded">{json.dumps(kept)}</script>\n'
    # a function of its own, so that the scripts' names are not the page's
    program = f"<script>\n(() => {{\n{script}\n}})();\n</script>\n"
    return page.replace("</body>", licences + data + program + "</body>").encode()


def _plain(module: str) -> str:
    """A module of ours without its imports and exports."""
    module = re.sub(r"^import .*;\n", "", module, flags=re.M)
    return re.sub(r"^export (?=(async )?(function|const|class))", "", module, flags=re.M)


def _classic(module: str) -> str:
    """onnxruntime-web's module as a classic script, which leaves its exports in `ort`."""
    body, exports = re.fullmatch(r"(.*)export\{([^}]*)\};?\s*(?://#.*)?\s*", module, re.S).groups()
    pairs = (part.split(" as ") for part in exports.split(","))
    fields = ", ".join(f"{pair[-1].strip()}: {pair[0].strip()}" for pair in pairs)
    body = body.replace("import.meta.url", "self.location.href")
    return f"const ort = (() => {{\n{body}\nreturn {{ {fields} }};\n}})();"
