"""Jobs spread over workers: in this process, on a cluster of this machine, or on one that is given (Dask distributed).

A worker may die in the middle: its job, and no other, is done again by the next. Every job runs on one thread, here as
there, so that its arithmetic does not depend on where it ran.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch

from ..networks.network import Network
from ..networks.zoo import embedded_digest, load_network

_here = (
    threading.local()
)  # networks that have arrived: each thread has its own, for hooks are not shared
_cargo: dict[str, Network] = {}  # networks that travelled whole


@dataclass(frozen=True)
class Ticket:
    """What is sent to a worker in place of a network: the embedded ones are loaded there by name, others have been sent ahead."""

    name: str
    digest: str
    precision: str
    device: str
    key: str = ""  # of a network that was sent whole


@contextlib.contextmanager
def cluster(
    workers: int | None = None, scheduler: str | None = None, client: object = None
) -> Iterator[object]:
    """The Dask client to spread jobs with, or None where they run in this process; one that was started here ends here.

    `workers` are processes of this machine with one thread each, which listen on loopback only and, by a certificate made for
    the occasion, to this process only: another user of the machine cannot give them work. ValueError for more than
    one of the three, for an address where nobody answers, and where Dask is missing.
    """
    if sum(given is not None for given in (workers, scheduler, client)) > 1:
        raise ValueError("give one of workers, scheduler and client")
    if workers is not None and (
        isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= 1024
    ):
        raise ValueError(f"workers is a whole number from 1 to 1024; given: {workers!r}")
    if client is not None or (workers is None and scheduler is None):
        yield client
        return
    distributed = _distributed()
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            local = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                security=True,
                dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=50,
            )
            scheduler = stack.enter_context(local)
        try:
            made = distributed.Client(scheduler, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise ValueError(
                f"no Dask scheduler answers at {scheduler!r}: {' '.join(str(error).split())[:120]}"
            ) from None
        yield stack.enter_context(made)


def ticket(network: Network, client: object) -> Network | Ticket:
    """What a job is given for the network: itself where jobs run here, else a Ticket; where needed the network is sent ahead."""
    if client is None:
        return network
    known = Ticket(network.name, network.digest, network.precision, network.device.type)
    if network.digest and embedded_digest(network.name) == network.digest:
        return known
    key = f"dreamkit-{weights_digest(network)[:16]}-{uuid.uuid4().hex[:8]}"

    class Cargo(
        _distributed().WorkerPlugin
    ):  # set up on every worker, also on those that come later
        name = key

        def setup(self, worker: object) -> None:
            deliver(key, network)

    client.register_plugin(Cargo())
    return Ticket(network.name, network.digest, network.precision, network.device.type, key)


def deliver(key: str, network: Network) -> None:
    """Leaves a network that travelled whole where `network_of` finds it, on the worker that calls this."""
    _cargo[key] = network


def network_of(given: Network | Ticket) -> Network:
    """The network of a ticket, on this worker and for this thread alone. ValueError where it is another one here."""
    if isinstance(given, Network):
        return given
    known = _here.__dict__.setdefault("networks", {})
    if given not in known:
        if given.key:
            import copy

            known[given] = copy.deepcopy(_cargo[given.key])
        else:
            known[given] = load_network(given.name, device=given.device, precision=given.precision)
        if known[given].digest != given.digest:
            raise ValueError(
                f"this worker has other weights of {given.name} (sha256 {known[given].digest[:12]}…): install one "
                "version of dreamkit everywhere"
            )
    return known[given]


def spread(
    function: Callable, jobs: Iterable[tuple], client: object = None
) -> Iterator[tuple[int, object]]:
    """(index of the job, `function(*job)`), as they finish: one after the other here, or on the workers of a Dask client.

    No more jobs are out at a time than keep every worker busy. An error of the function ends it all.

    >>> list(spread(max, [(1, 2), (4, 3)]))
    [(0, 2), (1, 4)]
    """
    if client is None:
        for index, job in enumerate(jobs):
            yield index, on_one_thread(function, *job)
        return
    yield from _spread(function, enumerate(jobs), client)


def _spread(
    function: Callable, left: Iterator[tuple[int, tuple]], client: object
) -> Iterator[tuple[int, object]]:
    import dask

    distributed = _distributed()
    finished, out = distributed.as_completed(loop=client.loop, with_results=True), {}

    def feed() -> None:
        room = 2 * max(1, sum(client.nthreads().values())) - len(out)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            for index, job in islice(left, max(0, room)):
                future = client.submit(on_one_thread, function, *job, pure=False)
                out[future.key] = index, future
                finished.add(future)

    try:
        feed()
        for future, result in finished:
            index, _ = out.pop(future.key)
            del future  # or the cluster keeps the result
            feed()
            yield index, result
    except distributed.KilledWorker:
        raise ValueError(
            "a job has killed every worker that tried it, most often for want of memory: try a smaller picture"
        ) from None
    finally:
        with contextlib.suppress(Exception):
            client.cancel([future for _, future in out.values()], force=True)


def on_one_thread(function: Callable, *job: object) -> object:
    """function(*job), with one thread of torch's."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return function(*job)
    finally:
        torch.set_num_threads(before)


def weights_digest(network: Network) -> str:
    """The sha256 of the weights file, or, where there is none, of all weights by name."""
    if network.digest:
        return network.digest
    digest = hashlib.sha256()
    for name, tensor in network.module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        digest.update(
            tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()


def _distributed():
    try:
        import distributed
    except ImportError:
        raise ValueError(
            "several workers need Dask: pip install 'dreamkit[scale]' brings it"
        ) from None
    return distributed
