"""`nox -s image`: builds the containers' images and says what came out."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.errors import UsageError
from grader.sandbox import container_images


def image(
    console: Console,
    *,
    targets: Sequence[container_images.Target],
    engine: str,
    base: str | None,
    tensorflow: container_images.TensorFlow,
    ca_bundle: Path | None,
) -> int:
    """Builds the targets one after the other; 0 when all of them are there."""
    engine = container_images.choose(engine)
    ca_bundle = _certificates(ca_bundle)
    lines = []
    for target in targets:
        console.print(Text(f"Building {target} with {engine}", style="bold"))
        built, seconds = container_images.build(
            engine, target, tensorflow=tensorflow, base=base, ca_bundle=ca_bundle
        )
        lines += [
            Text(f"{target}: {built.size / 1e9:.2f} GB with {engine} in {seconds:.1f} s", style="bold"),
            Text(f"  tag      {built.tag}"),
            Text(f"  id       sha256:{built.id}"),
            Text(f"  digest   {'sha256:' + built.digest if built.digest else 'none until it is pushed'}"),
            Text(f"  lock     sha256:{container_images.lock_digest()}"),
        ]
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True)
    return 0


def _certificates(given: Path | None) -> Path | None:
    """The bundle that was asked for, or the one that this machine's own package tools are set to use."""
    if given is None:
        named = (os.environ.get(name) for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"))
        return next((Path(name) for name in named if name and Path(name).is_file()), None)
    if not given.is_file():
        raise UsageError(f"there is no file {given}", fix="Name a PEM file with --ca-bundle")
    return given
