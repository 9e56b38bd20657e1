"""Executes notebooks in a kernel of this Python, without a network, and finds all errors.

Plain execution (nbclient) stops at a cell that raises. Three failures slip through it and are found
here: an error inside an Output widget, an error output of any kind, and a traceback on stderr, as a
thread leaves one.
"""

from __future__ import annotations

import ast
import copy
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field

import nbclient
import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_VIEW = "application/vnd.jupyter.widget-view+json"
_NOTE = "A live panel as it stood when its cell ended; run the cell to move it."
TRACEBACK = "Traceback (most recent call last)"

# Runs in the kernel before the first cell. It refuses the network and keeps what is written to
# stderr, because what a thread writes after its cell has ended reaches no cell.
_GUARD = """
import io as _io, sys as _sys, threading as _threading
_sys.stderr.echo = _written = _io.StringIO()     # IPython swaps `write` itself around every cell
def _refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments
    else:
        return
    host = address[0] if isinstance(address, tuple) else None
    host = host.decode() if isinstance(host, bytes) else host
    if host and not (str(host).startswith("127.") or host in ("localhost", "::1", "0.0.0.0", "::")):
        raise PermissionError(f"a lesson needs no network, and none is given; asked for: {host}")
_sys.addaudithook(_refuse)
_threads = set(_threading.enumerate())
"""
_CLOSE = """
import time as _time
_deadline = _time.monotonic() + 0.5
for _thread in set(_threading.enumerate()) - _threads:
    _thread.join(max(0.0, _deadline - _time.monotonic()))
_written.getvalue()
"""


class Failed(Exception):  # noqa: N818 (what a run has done, not what a caller did wrong)
    """A notebook that did not run cleanly; the message says which cell and what was found there."""


@dataclass
class Run:
    """An executed notebook, and the seconds each of its code cells took, by cell id."""

    notebook: nbformat.NotebookNode
    seconds: dict[str, float] = field(default_factory=dict)


class _ThisPython(KernelSpecManager):
    """Finds one kernel only: that of the running Python, whatever is registered on this machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[
                sys.executable,
                "-m",
                "ipykernel_launcher",
                "-f",
                "{connection_file}",
                "--log-level=40",
            ],
            display_name="Python 3",
            language="python",
        )


class _Kernel(AsyncKernelManager):
    """Starts that kernel.

    Named by its class, since nbclient cleans up only after managers that it has made itself.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "kernel_spec_manager": _ThisPython()})


class _Client(nbclient.NotebookClient):
    """A client that keeps the time of each cell."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seconds: dict[str, float] = {}
        self.on_cell_execute = lambda cell, cell_index: self.seconds.update(
            {cell.id: -time.monotonic()}
        )
        self.on_cell_executed = lambda cell, cell_index, execute_reply: self.seconds.update(
            {cell.id: self.seconds[cell.id] + time.monotonic()}
        )


def execute(
    notebook: nbformat.NotebookNode, timeout: float = 120, environment: dict[str, str] | None = None
) -> Run:
    """A Run: an executed copy of the notebook in an empty folder; the given one stays as it is.

    Failed where anything went wrong.

    `timeout` is in seconds for each cell; `environment` is added to this process's own.
    """
    ours = copy.deepcopy(notebook)
    opening, closing = (
        nbformat.v4.new_code_cell(code, id=name)
        for code, name in ((_GUARD, "guard"), (_CLOSE, "close"))
    )
    ours.cells = [opening, *ours.cells, closing]
    with tempfile.TemporaryDirectory() as folder:
        client = _Client(
            ours,
            kernel_manager_class=_Kernel,
            timeout=timeout,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=_environment(folder, environment or {}))
        except CellExecutionError as error:
            raise Failed(f"a cell raised:\n{_COLOURS.sub('', str(error))}") from None
        except CellTimeoutError as error:
            raise Failed(f"a cell took over {timeout:g} s:\n{error}") from None
    ours.cells = ours.cells[1:-1]
    problems = _output_errors(ours) + _widget_errors(client) + _late_errors(closing)
    if problems:
        raise Failed("\n".join(problems))
    _tidy(ours)
    return Run(
        ours, {cell.id: client.seconds[cell.id] for cell in ours.cells if cell.id in client.seconds}
    )


def _environment(folder: str, more: dict[str, str]) -> dict[str, str]:
    env = {
        **os.environ,
        "IPYTHONDIR": os.path.join(folder, ".ipython"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
        "OMP_WAIT_POLICY": "PASSIVE",
        **more,
    }  # threads that wait in a circle starve whatever else runs here
    if env.get("DREAMKIT_WEIGHTS"):
        env["DREAMKIT_WEIGHTS"] = os.path.abspath(
            env["DREAMKIT_WEIGHTS"]
        )  # the kernel runs in another folder
    return env


def _output_errors(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        f"cell {cell.id}: {problem}"
        for cell in notebook.cells
        if cell.cell_type == "code"
        for problem in _errors_in(cell.outputs)
    ]


def _widget_errors(client: _Client) -> list[str]:
    captured = [state.get("outputs", ()) for state in client.widget_state.values()]
    captured += [
        widget.outputs for widget in client.comm_objects.values() if hasattr(widget, "outputs")
    ]
    return sorted(
        {
            f"inside an Output widget: {problem}"
            for outputs in captured
            for problem in _errors_in(outputs)
        }
    )


def _late_errors(closing: nbformat.NotebookNode) -> list[str]:
    text = "".join(output.data["text/plain"] for output in closing.outputs if "data" in output)
    return (
        [f"a traceback on stderr, from a thread or a callback:\n{ast.literal_eval(text)}"]
        if TRACEBACK in text
        else []
    )


def _errors_in(outputs) -> list[str]:
    found = []
    for output in outputs:
        if output["output_type"] == "error":
            found.append(f"an error output: {output['ename']}: {output['evalue']}")
        elif (
            output["output_type"] == "stream"
            and output["name"] == "stderr"
            and TRACEBACK in output["text"]
        ):
            found.append(f"a traceback on stderr:\n{output['text']}")
    return found


def _tidy(notebook: nbformat.NotebookNode) -> None:
    """Removes what differs from run to run.

    Counts start at 1, panels become still pictures, widget state and versions are dropped.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "data" in output:
                _freeze(output)


def _freeze(output: nbformat.NotebookNode) -> None:
    """Removes the live view from a panel's output and leaves the plain page.

    A saved view without its state would show an error.
    """
    if output.data.pop(_VIEW, None) is not None:
        output.data["text/html"] = f"<p><em>{_NOTE}</em></p>{output.data.get('text/html', '')}"
        output.data["text/plain"] = _NOTE
