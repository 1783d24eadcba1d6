"""Collecting from real repositories on this disk, hostile ones among them, with a real git."""

import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from grader import intake
from grader.collecting import collect, git, listing
from grader.commands.collect import collect as command
from grader.errors import UsageError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

_WHO = {
    **{f"GIT_{who}_NAME": "A Student" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "student@example.edu" for who in ("AUTHOR", "COMMITTER")},
    "GIT_COMMITTER_DATE": "2026-11-20T10:00:00+00:00",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def run(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """Git in a repository."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env={**os.environ, **_WHO},
        input=given,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def repository(folder: Path, **files: str) -> Path:
    """One with a commit of these files (`__` in a name is a dot)."""
    folder.mkdir(parents=True)
    run(folder, "init", "-q")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    run(folder, "add", "-A")
    run(folder, "commit", "-qm", "work")
    return folder


def collected(source: Path, to: Path) -> tuple[int, str]:
    """What the command returns and prints."""
    out = io.StringIO()
    code = command(Console(file=out, width=200), source=source, to=to)
    return code, out.getvalue()


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """A folder for repositories."""
    folder = tmp_path / "clones"
    folder.mkdir()
    return folder


class TestRight:
    def test_grade_reads_it_as_one_repository_a_student(self, clones: Path, tmp_path: Path) -> None:
        for login in ("lab1-jane", "lab1-john"):
            repository(clones / login, resnet__py=f"# {login}\n")
        code, said = collected(clones, tmp_path / "submissions")
        assert code == 0, said
        read = intake.read([tmp_path / "submissions"], ["resnet.py"], layout=None, scratch=tmp_path / "s")
        assert read.layout == "repositories"
        assert [student.key for one in read.handed_in for student in one.students] == ["jane", "john"]
        assert read.left_out == ()

    def test_commit_and_times_are_recorded(self, clones: Path, tmp_path: Path) -> None:
        one = repository(clones / "jane", resnet__py="x = 1\n")
        collected(clones, tmp_path / "to")
        record = collect.read(tmp_path / "to" / "jane")
        assert record is not None
        assert record.commit == run(one, "rev-parse", "HEAD")
        assert record.committed == "2026-11-20T10:00:00+00:00"
        assert record.branch == "main"
        table = (tmp_path / "to-collected.csv").read_text()
        assert record.commit in table

    def test_the_same_command_again_fetches_what_is_new(self, clones: Path, tmp_path: Path) -> None:
        one, to = repository(clones / "jane", resnet__py="x = 1\n"), tmp_path / "to"
        repository(clones / "john", resnet__py="x = 1\n")
        collected(clones, to)
        stayed = (to / "john" / collect.RECORD).stat().st_mtime_ns
        (one / "resnet.py").write_text("x = 2\n")
        run(one, "commit", "-qam", "more")
        code, said = collected(clones, to)
        assert (code, "1 of them as before" in said) == (0, True), said
        assert (to / "jane" / "resnet.py").read_text() == "x = 2\n"
        assert (to / "john" / collect.RECORD).stat().st_mtime_ns == stayed
        assert [path.name for path in to.iterdir() if path.name.startswith(".collecting")] == []

    def test_a_list_names_students(self, clones: Path, tmp_path: Path) -> None:
        repository(clones / "a", resnet__py="x = 1\n")
        (tmp_path / "list.csv").write_text("name,url\n# a comment\njane,clones/a\n")
        code, said = collected(tmp_path / "list.csv", tmp_path / "to")
        assert code == 0, said
        assert (tmp_path / "to" / "jane" / "resnet.py").exists()

    def test_the_previews_own_files_are_left_behind(self, clones: Path, tmp_path: Path) -> None:
        one = repository(clones / "jane", resnet__py="x = 1\n")
        (one / ".github" / "check" / "assignment").mkdir(parents=True)
        (one / ".github" / "check" / "assignment" / "resnet.py").write_text("stub\n")
        run(one, "add", "-A")
        run(one, "commit", "-qm", "check")
        collected(clones, tmp_path / "to")
        assert not (tmp_path / "to" / "jane" / ".github").exists()


class TestFaults:
    def test_one_that_cannot_be_fetched_is_a_line_and_exit_code_1(self, clones: Path, tmp_path: Path) -> None:
        repository(clones / "jane", resnet__py="x = 1\n")
        (clones / "empty").mkdir()
        run(clones / "empty", "init", "-q")
        broken = repository(clones / "broken", resnet__py="x = 1\n")
        shutil.rmtree(broken / ".git" / "objects")
        (broken / ".git" / "objects").mkdir()
        code, said = collected(clones, tmp_path / "to")
        assert code == 1
        assert "empty: it has no commit yet" in said or "empty: git could not" in said
        assert "broken: " in said
        assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["jane"]

    def test_what_was_collected_before_is_kept(self, clones: Path, tmp_path: Path) -> None:
        one = repository(clones / "jane", resnet__py="x = 1\n")
        collected(clones, tmp_path / "to")
        shutil.rmtree(one / ".git")
        run(one, "init", "-q")
        code, said = collected(clones, tmp_path / "to")
        assert (code, "is kept" in said) == (1, True), said
        assert (tmp_path / "to" / "jane" / "resnet.py").exists()

    def test_a_folder_that_somebody_else_made_is_not_replaced(self, clones: Path, tmp_path: Path) -> None:
        repository(clones / "jane", resnet__py="x = 1\n")
        (tmp_path / "to" / "jane").mkdir(parents=True)
        (tmp_path / "to" / "jane" / "mine.txt").write_text("mine")
        code, said = collected(clones, tmp_path / "to")
        assert (code, "was not collected" in said) == (1, True)
        assert (tmp_path / "to" / "jane" / "mine.txt").read_text() == "mine"

    @pytest.mark.parametrize(
        "line",
        [
            "ext::sh -c touch% /tmp/pwned",
            "--upload-pack=touch /tmp/pwned",
            "-oProxyCommand=touch:x",
            "file:///etc",
            "http://example.edu/x.git",
            "ssh://-oProxyCommand=x/y",
            "git@-oProxyCommand=x:y",
            "jane,a,b",
        ],
    )
    def test_a_line_that_is_no_address_is_named(self, line: str, tmp_path: Path) -> None:
        (tmp_path / "list").write_text(f"# first\n{line}\n")
        with pytest.raises(UsageError, match="line 2"):
            listing.read(tmp_path / "list")

    def test_two_of_one_name_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "list").write_text("https://a.edu/x/lab.git\nhttps://a.edu/y/lab.git\n")
        with pytest.raises(UsageError, match="both be called lab"):
            listing.read(tmp_path / "list")

    def test_no_password_is_shown_or_kept(self, tmp_path: Path) -> None:
        (tmp_path / "list").write_text("https://me:hunter2@127.0.0.1:9/lab.git?token=hunter2\n")
        code, said = collected(tmp_path / "list", tmp_path / "to")
        assert code == 1
        assert "hunter2" not in said + (tmp_path / "to-collected.csv").read_text()


class TestHostile:
    """What a repository can hold to be run, followed or filled up with: none of it is."""

    def test_links_are_left_out(self, clones: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        one = repository(clones / "jane", alexnet__py="x = 1\n")
        (one / "resnet.py").symlink_to(tmp_path / "secret")
        (one / "folder").symlink_to("/etc")
        run(one, "add", "-A")
        run(one, "commit", "-qm", "links")
        code, said = collected(clones, tmp_path / "to")
        assert (code, "resnet.py: a link" in said, "folder: a link" in said) == (0, True, True)
        assert not os.path.lexists(tmp_path / "to" / "jane" / "resnet.py")

    def test_hooks_and_filters_do_not_run(self, clones: Path, tmp_path: Path) -> None:
        mark = tmp_path / "ran"
        one = repository(clones / "jane", resnet__py="x = 1\n", __gitattributes="*.py filter=evil\n")
        for name in ("post-checkout", "pre-receive", "post-upload-pack", "reference-transaction"):
            hook = one / ".git" / "hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
            hook.chmod(0o755)
        for key, value in (
            ("filter.evil.smudge", f"touch {mark}"),
            ("core.fsmonitor", f"touch {mark}"),
            ("core.sshCommand", f"touch {mark}"),
            ("uploadpack.packObjectsHook", f"touch {mark}"),
            ("core.alternateRefsCommand", f"touch {mark}"),
            ("core.hooksPath", str(one / ".git" / "hooks")),
        ):
            run(one, "config", key, value)
        mark.unlink(missing_ok=True)  # git here ran some of them itself
        code, said = collected(clones, tmp_path / "to")
        assert code == 0, said
        assert not mark.exists()
        assert (tmp_path / "to" / "jane" / "resnet.py").read_text() == "x = 1\n"

    def test_submodules_are_not_fetched(self, clones: Path, tmp_path: Path) -> None:
        other = repository(tmp_path / "other", evil__py="x = 1\n")
        one = repository(clones / "jane", resnet__py="x = 1\n")
        run(one, "submodule", "--quiet", "add", str(other), "sub")
        run(one, "commit", "-qm", "sub")
        code, said = collected(clones, tmp_path / "to")
        assert (code, "sub: a submodule" in said) == (0, True), said
        assert not (tmp_path / "to" / "jane" / "sub").exists()

    def test_a_huge_file_is_left_out_and_a_huge_repository_refused(
        self, clones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = repository(clones / "jane", resnet__py="x = 1\n")
        (one / "huge.bin").write_bytes(b"\0" * (git.MOST_FILE_BYTES + 1))
        run(one, "add", "-A")
        run(one, "commit", "-qm", "huge")
        noise = repository(clones / "john", resnet__py="x = 1\n")
        (noise / "noise.bin").write_bytes(os.urandom(3 * git.MIB))
        run(noise, "add", "-A")
        run(noise, "commit", "-qm", "noise")
        monkeypatch.setattr(git, "MOST_FETCHED", git.MIB)
        code, said = collected(clones, tmp_path / "to")
        assert code == 1
        assert "jane: left out: huge.bin: 16 MiB" in said
        assert "john: its newest commit is more than 1 MiB" in said
        assert not (tmp_path / "to" / "jane" / "huge.bin").exists()
        assert not (tmp_path / "to" / "john").exists()

    def test_one_that_never_answers_ends(
        self, clones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import socket

        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()  # and accepts nobody
            (tmp_path / "list").write_text(f"https://127.0.0.1:{server.getsockname()[1]}/lab.git\n")
            monkeypatch.setattr(git, "MOST_SECONDS", 1.0)
            code, said = collected(tmp_path / "list", tmp_path / "to")
        assert (code, "more than 1 s" in said) == (1, True), said

    def test_names_lead_nowhere(self, clones: Path, tmp_path: Path) -> None:
        """Git's own commands refuse to make such trees; its objects can hold them all the same."""
        one = repository(clones / "jane", resnet__py="x = 1\n")
        blob = run(one, "hash-object", "-w", "--stdin", given=b"evil\n")
        entries = b""
        for mode, name in ((b"100644", b"a\nb.py"), (b"100644", b"ok.py"), (b"100644", b"x/../../out.py")):
            entries += mode + b" " + name + b"\0" + bytes.fromhex(blob)
        inner = run(
            one,
            "hash-object",
            "-w",
            "-t",
            "tree",
            "--literally",
            "--stdin",
            given=b"100644 hooks\0" + bytes.fromhex(blob),
        )
        for name in (b"..", b".GIT"):
            entries = b"40000 " + name + b"\0" + bytes.fromhex(inner) + entries
        tree = run(one, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=entries)
        commit = run(one, "commit-tree", "-m", "evil", tree)
        run(one, "update-ref", "HEAD", commit)
        code, said = collected(clones, tmp_path / "to")
        assert not (tmp_path / "out.py").exists()
        assert not (tmp_path / "to" / "hooks").exists()
        if code == 0:  # git may refuse to send it at all
            folder = tmp_path / "to" / "jane"
            assert sorted(path.name for path in folder.iterdir()) == [".git", "a\nb.py", "ok.py"]
            assert [path.name for path in (folder / ".git").iterdir()] == ["collected.json"]
            assert "leads elsewhere" in said
        else:
            assert "jane: git could not fetch it" in said

    def test_a_folders_name_is_one_plain_line(self, clones: Path, tmp_path: Path) -> None:
        repository(clones / "evil\n=cmd()|' name", resnet__py="x = 1\n")
        repository(clones / "-rf", resnet__py="x = 1\n")
        code, said = collected(clones, tmp_path / "to")
        assert code == 0, said
        names = sorted(path.name for path in (tmp_path / "to").iterdir())
        assert all(name.isprintable() and name[0] not in "=-." for name in names), names
        assert json.loads((tmp_path / "to" / names[0] / collect.RECORD).read_text())["commit"]
