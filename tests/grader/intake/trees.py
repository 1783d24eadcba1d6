"""Folders and archives as platforms hand them out, for tests."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

MODULES = ("preprocessing.py", "evaluation.py")
RIGHT = "def confusion_matrix(labels, predictions, num_classes):\n    return None\n"


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files below a folder, by their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip with these entries."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(files: Mapping[str, str | bytes], mode: str = "gz", form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar with these entries; `mode` is how it is packed: "gz", "xz", "bz2" or "" for not at all."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{mode}", format=form) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            content = content if isinstance(content, bytes) else content.encode()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()
