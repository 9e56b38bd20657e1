"""An address where no Dask scheduler answers is one line, within seconds."""

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from dreamkit.atlas import address_check
from dreamkit.atlas.cluster import cluster
from dreamkit.cli.app import call

# Dask leaves a socket to the garbage collector where something else answers.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
distributed = pytest.importorskip("distributed")


@pytest.fixture
def listening() -> Iterator[Callable[[Callable], int]]:
    """A function: the port where `answer(connection)` is called for all who connect."""
    servers, kept = [], []

    def start(answer: Callable[[socket.socket], object]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                    answer(kept[-1])
                except OSError:
                    if server.fileno() < 0:
                        return

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for one in (*servers, *kept):
        one.close()
    gc.collect()  # sockets that Dask gives up warn here, and not in another test


def silent(connection: socket.socket) -> None:
    pass


def drips(connection: socket.socket) -> None:
    """A message that never ends: one byte of it at a time."""

    def go() -> None:
        try:
            connection.sendall((2**20).to_bytes(8, "little"))
            while True:
                connection.sendall(b"\0")
                time.sleep(0.05)
        except OSError:
            pass

    threading.Thread(target=go, daemon=True).start()


ANSWERS = {
    "silence": silent,
    "drips": drips,
    "a web page": lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "ones": lambda connection: connection.sendall(b"\xff" * 64),
    "a closed door": lambda connection: connection.close(),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.slow
def test_something_else_that_listens_is_one_line_within_seconds(name, listening):
    port, start = listening(ANSWERS[name]), time.monotonic()
    with pytest.raises(ValueError, match=r"^no Dask scheduler answers at 'tcp:") as caught:
        address_check.check_answer(distributed, f"tcp://127.0.0.1:{port}", seconds=0.5)
    assert time.monotonic() - start < 15 and "\n" not in str(caught.value)
    for thread in threading.enumerate():
        if thread.name == "dreamkit scheduler":
            thread.join(10)  # whoever asked has given up too
            assert not thread.is_alive()


def test_an_address_is_asked_before_dasks_client_goes_there(monkeypatch):
    def refuse(_, address):
        raise ValueError(f"asked at {address}")

    monkeypatch.setattr("dreamkit.atlas.cluster.check_answer", refuse)
    monkeypatch.setattr(distributed, "Client", lambda *_, **__: pytest.fail("it went there"))
    with pytest.raises(ValueError, match="asked at tcp://x:1"), cluster(scheduler="tcp://x:1"):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "127.0.0.1",
        "http://127.0.0.1:8786",
        "tls://127.0.0.1:8786",
        "tcp://127.0.0.1:port",
        "tcp://",
        "tcp://[::1",
        "inproc://x",
        "ucx://127.0.0.1:1",
        "/etc/passwd",
        "x" * 5000,
        "tcp://a\x1b[31m",
    ],
)
def test_a_wrong_address_is_one_short_line(address, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    arguments = ["atlas", "--network", "dreamnet", "--layer", "conv1", "--channels", "0"]
    assert call([*arguments, "--scheduler", address]) == 2
    line = capfd.readouterr().err
    assert line.count("\n") == 1 and len(line) < 300 and "\x1b" not in line
    assert line.startswith("dreamkit: no Dask scheduler answers at '")


def test_something_of_dasks_that_is_no_scheduler_is_refused(monkeypatch):
    async def identity() -> dict:
        return {"type": "Worker"}

    class Other:
        def __init__(self, *_, **__):
            self.identity = identity

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

    monkeypatch.setattr(distributed, "rpc", Other)
    with pytest.raises(ValueError, match=r"at 'tcp://w:1': it is no scheduler$"):
        address_check.check_answer(distributed, "tcp://w:1")


def test_a_scheduler_is_found_at_its_address():
    options = dict(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0")
    with (
        distributed.LocalCluster(silence_logs=50, **options) as local,
        cluster(scheduler=local.scheduler_address) as client,
    ):
        assert client.scheduler.address == local.scheduler_address
