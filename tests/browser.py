"""JupyterLab and Chromium for the browser tests: a server, and a page that runs notebooks."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

TOKEN = "dreamkit"
CHROMIUM = "/usr/bin/chromium"
NOISE = (
    "favicon",
    "ResizeObserver loop",
    "net::ERR_INTERNET_DISCONNECTED",
    "Download the React DevTools",
)


@contextlib.contextmanager
def lab(folder: Path, private: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves `folder` until the block ends.

    It keeps all its own files under `private`.
    """
    port = _free_port()
    places = {
        f"JUPYTER_{name}_DIR": str(private / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")
    }
    places["JUPYTERLAB_SETTINGS_DIR"], places["JUPYTERLAB_WORKSPACES_DIR"] = (
        str(private / "settings"),
        str(private / "workspaces"),
    )
    places["IPYTHONDIR"] = str(private / "ipython")
    _set(
        private,
        "apputils-extension/notification",
        '{"fetchNews": "false", "checkForUpdates": false}',
    )
    _set(
        private, "notebook-extension/tracker", '{"windowingMode": "none"}'
    )  # every cell is on the page, seen or not
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--ip=127.0.0.1",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}",
        "--allow-root",
        "--LabApp.collaborative=False",
    ]
    with (private / "lab.log").open("w") as log:
        server = subprocess.Popen(
            command,
            env=os.environ | places | {"OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(
                f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server, private / "lab.log"
            )
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


class Notebook:
    """One notebook in a browser's page: runs it, finds its panels, reports the console's errors."""

    def __init__(self, page, address: str, name: str) -> None:
        self.page, self.complaints = page, []
        page.on(
            "console", lambda message: self._note(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: self._note(str(error)))
        page.goto(
            f"{address}/lab/workspaces/w{time.monotonic_ns()}/tree/{name}?token={TOKEN}&reset",
            timeout=120_000,
        )
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=120_000)

    def run_all(self, seconds: float = 500) -> None:
        """Runs every cell; waits until the last code cell has its number and the kernel is idle."""
        for _ in range(6):  # a command sent while the kernel still connects can be lost
            self.dismiss()
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.locator(".lm-Menu-item[data-command='runmenu:run-all']").click()
            with contextlib.suppress(TimeoutError):
                self._until(lambda: any(text not in ("[ ]:", "") for text in self._prompts()), 10)
                break
        self._until(lambda: all(text.strip("[]: ").isdigit() for text in self._prompts()), seconds)

    def dismiss(self) -> None:
        """Closes a dialog, such as that a kernel is not there yet."""
        if self.page.locator("dialog.jp-Dialog").count():
            self.page.locator("dialog.jp-Dialog button.jp-mod-accept").first.click()

    def panel(self, call: str):
        """The output of the first cell whose source holds `call`."""
        cell = self.page.locator(
            ".jp-CodeCell", has=self.page.locator(".jp-InputArea-editor", has_text=call)
        ).first
        cell.scroll_into_view_if_needed()
        return cell.locator(".jp-OutputArea").first

    def screenshot(self, locator, path: Path) -> None:
        """A picture of a part of the page, for people."""
        locator.scroll_into_view_if_needed()
        locator.screenshot(path=str(path))

    def _prompts(self) -> list[str]:
        return [
            text.strip()
            for text in self.page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
        ]

    def _until(self, condition, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"cells stand at {self._prompts()}")
            self.page.wait_for_timeout(100)

    def _note(self, text: str) -> None:
        if not any(word in text for word in NOISE):
            self.complaints.append(text)


def _set(private: Path, name: str, text: str) -> None:
    path = private / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_for(address: str, server: subprocess.Popen, log: Path, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"jupyter lab ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise TimeoutError(f"jupyter lab did not answer: {log.read_text()[-2000:]}")
