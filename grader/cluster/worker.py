"""A worker joins a scheduler, does what graders ask for, and leaves."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from distributed import Worker
from distributed.comm.addressing import get_address_host_port
from distributed.core import Status, rpc
from distributed.utils import get_ip, get_ipv6

from grader.cluster import host as hosts
from grader.cluster import settings
from grader.cluster.certificates import Certificates
from grader.cluster.host import Host
from grader.errors import UsageError
from grader.text import plain

_START_SECONDS = 30.0


class KitWorker(Worker):
    """Dask's, without a web server."""

    def start_http_server(self, *arguments: Any, **options: Any) -> None:
        """None is started."""


class Joined:
    """A worker that has joined. Dask's loop runs in a thread of its own; to be used as a context.

    Args:
        address: the scheduler's, of settings.address.
        certificates: of the cluster.
        host: what it works with.
        listen_on: an address of this machine that the scheduler reaches; None for the one that leads there.

    Raises:
        UsageError: nobody answers there, it is not let in, or why it may not take part.
    """

    def __init__(
        self, address: str, certificates: Certificates, host: Host, *, listen_on: str | None = None
    ) -> None:
        self._address, self._host, self._listen_on = address, host, listen_on
        self._security = settings.security(certificates)
        self.ended = threading.Event()  # it has lost its scheduler, or has been closed
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="dask", daemon=True)

    def __enter__(self) -> "Joined":
        settings.apply()
        hosts.install(self._host)
        self._thread.start()
        while not self._ready.wait(0.2):
            pass  # in pieces, so that Ctrl-C is heard
        if self._failed is not None:
            self._thread.join()
            raise self._failed
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(RuntimeError):  # its loop has ended
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=15)
        hosts.install(None)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except UsageError as error:
            self._failed = error
        except Exception as error:
            self._failed = _not_joined(self._address, error)
        finally:
            self.ended.set()
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with rpc(self._address, connection_args=self._security.get_connection_args("worker")) as there:
            reason = await asyncio.wait_for(
                there.kit_refusal(passport=self._host.passport.written()), _START_SECONDS
            )
        if reason:
            raise UsageError(f"{self._address} does not let this worker in: {plain(reason, 500)}")
        places = self._host.passport.places
        worker = KitWorker(
            self._address,
            nthreads=places,
            name=self._host.passport.name,
            # What is asked for waits for a place of the host's own.
            executor={"default": ThreadPoolExecutor(places, thread_name_prefix="task")},
            startup_information={"kit": lambda _: self._host.passport.written()},
            local_directory=str(self._host.scratch),
            security=self._security,
            protocol="tls://",
            host=self._listen_on or _towards(self._address),
            memory_limit=0,
            dashboard=False,
            heartbeat_interval="1s",
            death_timeout=_START_SECONDS,
        )
        await worker
        self._ready.set()
        try:
            while not self._stop.is_set() and worker.status == Status.running:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), 0.5)
        finally:
            await worker.close(timeout=5, executor_wait=False)


def _towards(address: str) -> str:
    """The address of this machine that leads to another, so that no other one is listened on."""
    place, port = get_address_host_port(address)
    return str((get_ipv6 if ":" in place else get_ip)(place, port))


def _not_joined(address: str, error: BaseException) -> UsageError:
    cause = error.__cause__ or error
    return UsageError(
        f"no scheduler of this kit lets this machine in at {address}: {plain(cause, 200)}",
        fix="Is it running (nox -s scheduler), reachable from here, and of the same certificates?",
    )
