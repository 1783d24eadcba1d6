"""Archives in the official layout and checkouts that pin what is in them, made up on the spot."""

import hashlib
import io
import pickle
import shutil
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from lab import archive
from lab.archive import Pool
from lab.data import folder_pin

ROOT = Path(__file__).resolve().parents[2]


class Python2Pickler(pickle._Pickler):
    """Writes byte strings as Python 2 did, when the official archive was made."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, content: bytes) -> None:
        short = len(content) < 256
        self.write(b"U" + bytes([len(content)]) if short else b"T" + struct.pack("<i", len(content)))
        self.write(content)
        self.memoize(content)

    dispatch[bytes] = save_bytes


def python2_pickle(part: object) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(part)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def make_pool(per_class: int, seed: int = 0) -> Pool:
    """Noise with 7 bits a byte, every class the same number of times, shuffled."""
    draw = np.random.default_rng(seed)
    fine = draw.permutation(np.arange(100 * per_class) % 100).astype(np.uint8)
    planes = np.zeros((len(fine), 3072), np.uint8)
    noisy = 3072 if per_class < 100 else 16  # enough to tell them apart, and little to compress
    planes[:, :noisy] = draw.integers(0, 128, (len(fine), noisy))
    fine_names = tuple(f"thing_{i}" for i in range(100))
    return Pool(planes, fine, fine // 5, fine_names, tuple(f"kind_{i}" for i in range(20)))


def parts_of(pool: Pool, share: float = 5 / 6) -> dict[str, dict[bytes, Any]]:
    """A pool as the archive's three dictionaries, `share` of it in train."""
    cut = int(len(pool.planes) * share)
    parts: dict[str, dict[bytes, Any]] = {}
    for name, rows in (("train", slice(0, cut)), ("test", slice(cut, None))):
        parts[name] = {
            b"filenames": [f"{name}_{i}.png".encode() for i in range(len(pool.planes[rows]))],
            b"batch_label": f"{name} batch 1 of 1".encode(),
            b"fine_labels": pool.fine_labels[rows].tolist(),
            b"coarse_labels": pool.coarse_labels[rows].tolist(),
            b"data": pool.planes[rows],
        }
    parts["meta"] = {
        b"fine_label_names": [name.encode() for name in pool.fine_names],
        b"coarse_label_names": [name.encode() for name in pool.coarse_names],
    }
    return parts


def write_tar(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    """Packs the members as the suffix says; a TarInfo goes in as it is, without content."""
    mode = {".gz": "w:gz", ".xz": "w:xz"}.get(path.suffix, "w")
    extra: dict[str, Any] = {"w:gz": {"compresslevel": 1}, "w:xz": {"preset": 0}}.get(mode, {})
    with tarfile.open(path, mode, **extra) as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def pickled(pool: Pool) -> dict[str, bytes]:
    return {name: python2_pickle(part) for name, part in parts_of(pool).items()}


def make_checkout(root: Path, pool: Pool) -> Path:
    """A folder with the kit's own lab/ and .dvc files that pin the two sets of `pool`."""
    shutil.copytree(ROOT / "lab", root / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / ".dvc", root / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp", "config.local")
    )
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    (root / "grader").mkdir()
    for dvc_file, path, ranks in (
        (root / "data.dvc", "data", archive.COURSE_RANKS),
        (root / "grader" / "hidden.dvc", "hidden", archive.HIDDEN_RANKS),
    ):
        files = archive.canonical_files(pool, ranks)
        md5s = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
        size = sum(map(len, files.values()))
        dvc_file.write_text(
            f"outs:\n- md5: {folder_pin(md5s)}.dir\n  size: {size}\n"
            f"  nfiles: 4\n  hash: md5\n  path: {path}\n"
            "meta:\n  md5:\n" + "".join(f"    {name}: {md5}\n" for name, md5 in md5s.items())
        )
    return root
