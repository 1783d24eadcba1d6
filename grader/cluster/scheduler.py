"""The machine that workers and graders connect to. It passes messages on, and trains and probes nothing.

Nobody gets as far as a message of any kind without a certificate. A worker that is not of the same kit,
lock, profile and data is not let in, and is given the reason; a grader asks whether it is, and stops if not.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from distributed import Scheduler

from grader.cluster import settings
from grader.cluster.certificates import Certificates
from grader.cluster.passport import Passport, difference
from grader.errors import MessageRefused, UsageError
from grader.text import plain

SILENT_CHECKS = 5  # how often in that time it is looked who has not been heard of


def refusal(wanted: Passport, shown: object) -> str:
    """Why whoever shows this may not take part; empty if it may."""
    try:
        return difference(wanted, Passport.read(shown))
    except MessageRefused as error:
        return error.message


class KitScheduler(Scheduler):
    """Dask's, without a web server, with a look at whoever joins.

    Args:
        passport: of this machine: what others have to be equal to.
        say: called with a line when a worker joins, leaves or is refused.
        options: of Dask's.
    """

    def __init__(self, passport: Passport, say: Callable[[str], None], **options: Any) -> None:
        self._passport, self._say = passport, say
        super().__init__(dashboard=False, **options)
        self.handlers["kit_refusal"] = self.kit_refusal

    def start_http_server(self, *arguments: Any, **options: Any) -> None:
        """None is started: it would be a second port, and not behind the certificates."""

    async def kit_refusal(self, passport: object = None) -> str:
        """Why a machine may not take part; empty if it may. Asked by workers and graders before they join."""
        return refusal(self._passport, passport)

    async def add_worker(self, comm: Any, **options: Any) -> None:
        """As of Dask's, for those that may take part."""
        shown = (options.get("extra") or {}).get("kit")
        if reason := refusal(self._passport, shown):
            self._say(f"refused {plain(options.get('address'), 100)}: {plain(reason, 300)}")
            await comm.write({"status": "error", "message": reason, "time": time.time()})
            return
        worker = Passport.read(shown)
        self._say(f"joined: {plain(worker.name)} with {worker.has}")
        await super().add_worker(comm, **options)

    async def remove_worker(self, address: str, **options: Any) -> Any:
        """As of Dask's."""
        known = self.workers.get(address)
        if known is not None:
            self._say(f"left: {plain(Passport.read(known.extra.get('kit')).name)}")
        return await super().remove_worker(address, **options)


async def serve(
    passport: Passport,
    certificates: Certificates,
    *,
    host: str,
    port: int,
    say: Callable[[str], None],
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Runs a scheduler until `stop` is set.

    Args:
        passport: of this machine.
        certificates: of the cluster.
        host: the address to listen on, and no other.
        port: likewise; 0 for a free one.
        say: as of KitScheduler.
        on_ready: called with the address to join with.
        stop: ends it.

    Raises:
        UsageError: that address cannot be listened on.
    """
    settings.apply()
    try:
        scheduler = KitScheduler(
            passport,
            say,
            host=host,
            port=port,
            protocol="tls://",
            security=settings.security(certificates),
            worker_ttl=settings.SILENT_SECONDS,
        )
        await scheduler
    except (OSError, RuntimeError) as error:
        cause = error.__cause__ or error
        raise UsageError(
            f"nothing can listen on {plain(host)}, port {port}: {plain(cause, 200)}",
            fix="Name an address of this machine, and a free port: --host, --port",
        ) from error
    try:
        # Dask looks as often as its limit is long: a stopped worker could hold work for twice that.
        scheduler.periodic_callbacks["worker-ttl"].callback_time = 1000 * (
            settings.SILENT_SECONDS / SILENT_CHECKS
        )
        on_ready(scheduler.address)
        await stop.wait()
    finally:
        await scheduler.close()
