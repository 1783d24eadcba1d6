"""200 submissions of the bank with three planted copies among them: what is found, and what else.

    PYTHONPATH=. python -m tests.grader.similar.copies

Who copied is known; all others are innocent. They are of two kinds: 87 files that were written
by different hands, and files that are the course's solution with one change, of which each has the whole
solution in common with the others of its task. The second kind is like a class in which many have one and
the same source: they are alike by how they were made, and are counted apart.
"""

import ast
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from grader import similar
from grader.config import manifest
from grader.proof import bank
from grader.similar import Found, Work

ROOT = Path(__file__).resolve().parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
PLANTED = {
    frozenset(("right-preprocessing-lists-and-loops", "copy-renamed")),
    frozenset(("right-resnet-like-torchvision", "copy-reordered")),
    frozenset(("right-evaluation-loops", "right-evaluation-heaps-and-groups")),  # one helper of both
}
_HELPER = '''

def checked_pair(labels, predictions, num_classes):
    """Both as lists of whole numbers, each below num_classes."""
    true = [int(value) for value in labels]
    said = [int(value) for value in predictions]
    if len(true) != len(said):
        raise ValueError(f"{len(true)} labels and {len(said)} predictions")
    for position, (one, other) in enumerate(zip(true, said)):
        if not 0 <= one < num_classes or not 0 <= other < num_classes:
            raise ValueError(f"at {position}: {one} and {other}, of {num_classes} classes")
    return true, said
'''


@dataclass(frozen=True)
class Submissions:
    """What is compared, and whose work is by a hand of their own."""

    works: list[Work]
    own_hand: set[str]


def submissions(count: int) -> Submissions:
    """So many: those by different hands, three planted ones, the rest one change of the solution."""
    own = [one for one in bank.entries(ROOT, TASKS) if not one.mutant and isinstance(one.source, Path)]
    changed = [one for one in bank.entries(ROOT, TASKS) if not isinstance(one.source, Path)]
    texts = {one.folder: (one.task.module, _text(one)) for one in own}
    for name in ("right-evaluation-loops", "right-evaluation-heaps-and-groups"):
        module, text = texts[name]
        texts[name] = (module, text + _HELPER)
    for name, original, copied in (
        ("copy-renamed", "right-preprocessing-lists-and-loops", renamed),
        ("copy-reordered", "right-resnet-like-torchvision", reordered),
    ):
        module, text = texts[original]
        texts[name] = (module, copied(text))
    by_hand = set(texts)
    step = max(1, len(changed) // max(1, count - len(texts)))
    for one in changed[::step][: max(0, count - len(texts))]:
        texts[one.folder] = (one.task.module, _text(one))
    works = [Work(name=name, files={module: text}) for name, (module, text) in texts.items()]
    return Submissions(works, by_hand)


def compare(chosen: Submissions, **options: int) -> Found:
    """The search as the pages have it."""
    return similar.search(chosen.works, similar.handed_out(ROOT / "assignment"), **options)  # type: ignore[arg-type]


def renamed(text: str) -> str:
    """Every name that the file binds itself, but those the assignment asks for, is another; no comments."""
    tree = ast.parse(text)
    kept = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    kept |= {arg.arg for node in tree.body if isinstance(node, ast.FunctionDef) for arg in _arguments(node)}
    names: dict[str, str] = {}

    class Renaming(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            if isinstance(node.ctx, ast.Store) and node.id not in kept:
                names.setdefault(node.id, f"thing_{len(names)}")
            return ast.Name(names.get(node.id, node.id), node.ctx)

    Renaming().visit(tree)  # names are bound after they are used in comprehensions: twice
    return ast.unparse(Renaming().visit(tree)) + "\n"


def reordered(text: str) -> str:
    """The functions in the opposite order."""
    tree = ast.parse(text)
    first = min(node.lineno for node in tree.body if isinstance(node, ast.FunctionDef))
    parts = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    others = [node for node in tree.body if node not in parts and node.lineno > first]
    head = "\n".join(text.splitlines()[: first - 1])
    return (
        "\n\n\n".join([head, *(ast.get_source_segment(text, one) or "" for one in [*others, *parts[::-1]])])
        + "\n"
    )


def _arguments(node: ast.FunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _text(entry: bank.Entry) -> str:
    with tempfile.TemporaryDirectory() as folder:
        bank.write(ROOT, entry, Path(folder))
        return (Path(folder) / entry.task.module).read_text(encoding="utf-8-sig")


def main() -> None:
    """Compares 200 and prints what was found."""
    chosen = submissions(200)
    began = time.perf_counter()
    found = compare(chosen, most=10_000)
    took = time.perf_counter() - began
    pairs = {frozenset(pair.names): pair for pair in found.pairs}
    print(
        f"{len(chosen.works)} submissions, {len(chosen.own_hand)} by own hands: {took:.1f} s {found.why_not}"
    )
    for planted in sorted(map(sorted, PLANTED)):
        place = next((n for n, one in enumerate(found.pairs, 1) if set(one.names) == set(planted)), None)
        one = pairs.get(frozenset(planted))
        print(planted, f"place {place}", one and [(round(p.share, 2), p.run) for p in one.parts])
    innocent = [pair for key, pair in pairs.items() if key not in PLANTED]
    by_hand = [pair for pair in innocent if set(pair.names) <= chosen.own_hand]
    one_source = [pair for pair in innocent if not set(pair.names) <= chosen.own_hand]
    print(
        f"{len(by_hand)} innocent pairs by hands of their own; {len(one_source)} of one source with a change"
    )
    for pair in by_hand:
        print("  ", pair.names, [(round(p.share, 2), p.run) for p in pair.parts])


if __name__ == "__main__":
    main()
