"""Jobs spread over workers: this process, processes of this machine, or a Dask cluster.

If a worker dies, only its job is done again, by another worker. Every job runs on one thread
everywhere, so that its arithmetic does not depend on where it ran.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch

from ..checks.packages import optional_package
from ..networks.network import Network
from ..networks.zoo import embedded_digest, load_network
from ..pictures.files import one_line
from .address_check import check_answer, no_answer

# Each thread has its own networks: hooks must not be shared between threads.
_of_thread = threading.local()
_received: dict[str, Network] = {}  # networks that were sent to this worker whole


@dataclass(frozen=True)
class Ticket:
    """What a worker gets in place of a network: what it needs to find or load its own copy."""

    name: str
    digest: str
    precision: str
    device: str
    key: str = ""  # of a network that was sent whole


def worker_count(workers: object) -> int:
    """The number of processes that `workers` asks for; "auto": one for each core of this machine.

    Every worker has one thread, so that "auto" never asks for more threads than there are cores.
    Raises ValueError for anything but "auto" and a whole number from 1 to 1024.

    >>> worker_count(3)
    3
    """
    if workers == "auto":
        usable = getattr(os, "sched_getaffinity", None)  # cores that this process may use
        return len(usable(0)) if usable else os.cpu_count() or 1
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= 1024:
        raise ValueError(
            f'workers must be a whole number from 1 to 1024, or "auto"; given: {workers!r}'
        )
    return workers


@contextlib.contextmanager
def cluster(
    workers: int | str | None = None, scheduler: str | None = None, client: object = None
) -> Iterator[object]:
    """The Dask client to spread jobs with, or None for this process; closes what it started.

    `workers` is a number of processes of this machine with one thread each, or "auto": one for each
    core, and this process alone where there is one core. They listen on loopback
    only and accept only this process, by a certificate made for the purpose: other users of the
    machine cannot give them work. Raises ValueError for more than one argument, an address where no
    scheduler answers, and a missing Dask.
    """
    if sum(given is not None for given in (workers, scheduler, client)) > 1:
        raise ValueError("give one of workers, scheduler and client")
    count = None if workers is None else worker_count(workers)
    alone = workers == "auto" and count == 1
    if client is not None or alone or (workers is None and scheduler is None):
        yield client
        return
    distributed = _distributed()
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            local = _local_cluster(distributed, count)
            scheduler = stack.enter_context(local)
        else:
            check_answer(distributed, scheduler)
        try:
            made = distributed.Client(scheduler, timeout="10s", set_as_default=False)
        except Exception as error:
            raise no_answer(scheduler, error) from None
        yield stack.enter_context(made)


def _local_cluster(distributed: object, workers: int) -> object:
    try:
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            security=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=50,
        )
    except RuntimeError as error:  # each worker first imports the script that started it
        raise ValueError(
            f"the workers did not start ({one_line(error)[:120]}); in a script, the call must "
            'stand under if __name__ == "__main__":, as each worker imports the script'
        ) from None


def ticket(network: Network, client: object) -> Network | Ticket:
    """The network itself without a client, else a Ticket for it.

    A network that is not embedded is sent to the workers whole.
    """
    if client is None:
        return network
    embedded = network.digest and embedded_digest(network.name) == network.digest
    key = "" if embedded else f"dreamkit-{weights_digest(network)[:16]}-{uuid.uuid4().hex[:8]}"
    if key:

        class SendNetwork(_distributed().WorkerPlugin):
            """Runs on every worker, also on workers that start later."""

            name = key

            def setup(self, worker: object) -> None:
                receive(key, network)

        client.register_plugin(SendNetwork())
    return Ticket(network.name, network.digest, network.precision, network.device.type, key)


def receive(key: str, network: Network) -> None:
    """Keeps a network that was sent to this worker, for `network_of`."""
    _received[key] = network


def network_of(given: Network | Ticket) -> Network:
    """The network of a ticket, loaded once for each thread.

    Raises ValueError if this worker has other weights.
    """
    if isinstance(given, Network):
        return given
    known = _of_thread.__dict__.setdefault("networks", {})
    if given not in known:
        network = (
            copy.deepcopy(_received[given.key])
            if given.key
            else load_network(given.name, device=given.device, precision=given.precision)
        )
        if network.digest != given.digest:
            raise ValueError(
                f"this worker has other weights of {given.name} (sha256 {network.digest[:12]}…): "
                "install one version of dreamkit everywhere"
            )
        known[given] = network
    return known[given]


def spread(
    function: Callable, jobs: Iterable[tuple], client: object = None
) -> Iterator[tuple[int, object]]:
    """Yields (index of the job, `function(*job)`) as jobs finish.

    They run here in order, or on the workers of a Dask client in any order. At most two jobs for
    each thread are sent at a time. An error of the function ends the iteration.

    >>> list(spread(max, [(1, 2), (4, 3)]))
    [(0, 2), (1, 4)]
    """
    if client is None:
        for index, job in enumerate(jobs):
            yield index, on_one_thread(function, *job)
    else:
        yield from _spread_over(client, function, enumerate(jobs))


def _spread_over(
    client: object, function: Callable, waiting: Iterator[tuple[int, tuple]]
) -> Iterator[tuple[int, object]]:
    import dask

    distributed = _distributed()
    finished, sent = distributed.as_completed(loop=client.loop, with_results=True), {}

    def send() -> None:
        free = 2 * max(1, sum(client.nthreads().values())) - len(sent)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            for index, job in islice(waiting, max(0, free)):
                future = client.submit(on_one_thread, function, *job, pure=False)
                sent[future.key] = index, future
                finished.add(future)

    try:
        send()
        for future, result in finished:
            index, _ = sent.pop(future.key)
            del future  # otherwise the cluster keeps the result in memory
            send()
            yield index, result
    except distributed.KilledWorker:
        raise ValueError(
            "a job ended every worker that tried it; workers die so when memory runs out: "
            "try a smaller picture"
        ) from None
    finally:
        with contextlib.suppress(Exception):
            client.cancel([future for _, future in sent.values()], force=True)


def on_one_thread(function: Callable, *job: object) -> object:
    """`function(*job)`, computed with one thread of torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return function(*job)
    finally:
        torch.set_num_threads(before)


def weights_digest(network: Network) -> str:
    """The sha256 of the weights file, or, without one, of all weights and their names."""
    if network.digest:
        return network.digest
    digest = hashlib.sha256()
    for name, tensor in network.module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _distributed():
    return optional_package("distributed", "several workers need Dask", "scale")
