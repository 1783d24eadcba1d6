"""How Dask is set up on every machine, and what an address looks like. To be imported before Dask is used.

Dask's own choices that would stand in the way are set here: no dashboard, no work that is moved from one
worker to another, no limits of its own (the kit's are the ones that count), no profiler.
"""

import logging
import re
import ssl
from typing import Any

import dask
from distributed import Security

from grader.cluster.certificates import Certificates
from grader.errors import UsageError
from grader.text import plain

PORT = 8786
SILENT_SECONDS = (
    20.0  # a worker that has not been heard of for so long is given up: it is stopped, or far away
)
_ADDRESS = re.compile(r"tls://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})")

_SETTINGS: dict[str, Any] = {
    "distributed.comm.require-encryption": True,
    "distributed.comm.compression": False,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.timeouts.tcp": "30s",
    "distributed.scheduler.allowed-failures": 1000,  # tries are counted by the grader (client.py)
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.preload": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.preload": [],
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.admin.large-graph-warning-threshold": "10GB",
    "distributed.admin.tick.limit": "60s",  # what it says about a busy machine is of no use to anybody
}


def apply() -> None:
    """Sets them, whatever the machine's own Dask configuration says; its log is kept to what fails."""
    dask.config.set(_SETTINGS)
    for name in ("distributed", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def security(certificates: Certificates) -> Security:
    """Mutual TLS 1.3 for all roles, with one certificate; nothing is sent or taken without it."""
    own = {"cert": str(certificates.certificate), "key": str(certificates.key)}
    return Security(
        require_encryption=True,
        tls_ca_file=str(certificates.authority),
        tls_min_version=ssl.TLSVersion.TLSv1_3,
        **{f"tls_{role}_{what}": own[what] for role in ("client", "scheduler", "worker") for what in own},
    )


def address(text: str) -> str:
    """An address as it was typed, checked.

    Raises:
        UsageError: it is none, or one without encryption.
    """
    if text.startswith("tcp://"):
        raise UsageError(
            f"{plain(text, 100)} would be without encryption, for anybody",
            fix="Use the address that the scheduler printed: it begins with tls://",
        )
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found[2]) < 65536:
        raise UsageError(
            f"{plain(text, 100)} is no address of a scheduler", fix="It is like tls://10.0.0.5:8786"
        )
    return text
