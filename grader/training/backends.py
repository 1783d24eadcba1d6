"""What computes: the libraries and the device that a training runs on, by name and by version.

A backend's name is part of a job's digest, since other libraries give other numbers. What only goes into the
record of a result, such as the processor, is here as well.
"""

import contextlib
import importlib.metadata
import os
import platform
from pathlib import Path

from grader.config.profiles import Backend, Device
from grader.errors import TrainerFault

_NAMES: dict[Backend, str] = {"tensorflow": "TensorFlow", "jax": "JAX"}


def name(device: Device = "cpu", backend: Backend = "tensorflow") -> str:
    """What computes here, such as `keras 3.15.1 tensorflow 2.21.0 cpu`; nothing is imported for a CPU.

    Raises:
        TrainerFault: the backend is not installed, or finds no GPU. It is not asked for more than that, and
            never left to choose.
    """
    here = versions()
    if here[backend] == "none":
        raise TrainerFault(f"{_NAMES[backend]} is not installed", fix=f"Run: pip install {backend}")
    if device == "gpu" and not _gpu_seen(backend):
        raise TrainerFault(f"{_NAMES[backend]} finds no GPU")
    return f"keras {here['keras']} {backend} {here[backend]} {device}"


def device_of(backend_name: str) -> Device:
    """The device in a backend's name."""
    return "gpu" if backend_name.endswith(" gpu") else "cpu"


def versions() -> dict[str, str]:
    """Of Python and of the libraries that have a part in the numbers; "none" for one that is not here."""

    def version(*packages: str) -> str:
        for package in packages:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                return importlib.metadata.version(package)
        return "none"

    return {
        "python": platform.python_version(),
        "keras": version("keras"),
        "tensorflow": version("tensorflow-cpu", "tensorflow"),
        "jax": version("jax"),
        "numpy": version("numpy"),
    }


def machine() -> str:
    """The processor's name where the system tells it, and the system's."""
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _gpu_seen(backend: Backend) -> bool:
    """Whether the backend itself, imported for this, has a GPU to compute on."""
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    import jax

    try:
        return bool(jax.devices("gpu"))
    except RuntimeError:  # its way to say that there is none
        return False
