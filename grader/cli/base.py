"""How a command shows its help, its errors and its end."""

import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from grader.errors import MissingTensorFlow, UsageError
from lab.errors import KitError

SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}
STOPPED = "\nStopped. Networks that were trained to the end are kept: the same command goes on from there."
NEEDS_TENSORFLOW = 3  # noxfile.py installs it and calls again
# TensorFlow's own log lines, about processors and GPUs, are nobody's business who reads what a command shows.
# To be set before it is imported.
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "ABSL_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # or it says that it is on; trainings set their own
}
_CALLED = "grader.cli.called"  # in a context's meta: the command of the group that is called


class Command(click.Command):
    """A command whose help and errors name what was typed, and whose examples keep their lines.

    Args:
        prog: what stands before its options, such as `nox -s grade --`.
        epilog: examples, shown as they are written.
        options: as of click.Command.
    """

    def __init__(self, name: str | None, *, prog: str, **options: Any) -> None:
        super().__init__(name, context_settings=SETTINGS, **options)
        self.prog = prog

    @property
    def called(self) -> str:
        """What its errors begin with."""
        return self.prog.removesuffix(" --")

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As of click.Command; an error in an option's value, too, knows which command was called."""
        if parent is not None:
            parent.meta[_CALLED] = self
        return super().make_context(info_name, args, parent, **extra)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first line of the help, and how it is typed without nox."""
        takes = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(self.prog, takes)
        if ctx.parent is not None and self.prog.startswith("nox "):
            formatter.write_usage(ctx.command_path, takes, prefix="   or: ")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples."""
        _write_as_it_is(self.epilog, formatter)


class Group(click.Group):
    """Commands below headings.

    Args:
        prog: what stands before a command's name.
        sections: the commands by heading, in the order in which they are shown.
        options: as of click.Group.
    """

    def __init__(
        self, name: str | None, *, prog: str, sections: Mapping[str, Sequence[click.Command]], **options: Any
    ) -> None:
        super().__init__(name, context_settings=SETTINGS, **options)
        self.prog = prog
        self.called = prog.removesuffix(" --")
        self.sections = dict(sections)
        for command in (command for commands in sections.values() for command in commands):
            self.add_command(command)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As of click.Group; for a group within a group."""
        if parent is not None:
            parent.meta[_CALLED] = self
        return super().make_context(info_name, args, parent, **extra)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first line of the help."""
        formatter.write_usage(self.prog, "COMMAND ...")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A list of commands for each heading."""
        width = max(len(name) for name in self.commands)
        limit = formatter.width - width - 6
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                rows = [((one.name or "").ljust(width), one.get_short_help_str(limit)) for one in commands]
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples."""
        _write_as_it_is(self.epilog, formatter)


def run(
    command: Command | Group, arguments: Sequence[str], *, width: int = 110, stopped: str = STOPPED
) -> int:
    """Runs what a command line asks for; an error that is meant to be read is shown as its line and its fix.

    Args:
        command: what is called. What it runs returns an exit code, or None for 0.
        arguments: what was typed behind its name.
        width: of lines where the output is no terminal.
        stopped: what is shown after Ctrl-C.

    Returns:
        the exit code: 2 for wrong usage, 3 if TensorFlow has to be installed first (noxfile.py does that and
        calls again), 1 for any other KitError, 130 after Ctrl-C.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else width)
    meta: dict[str, Any] = {}
    try:
        with command.make_context(command.prog, list(arguments), obj=console) as context:
            meta = context.meta
            return int(command.invoke(context) or 0)
    except click.exceptions.Exit as end:  # --help has been shown
        return end.exit_code
    except click.UsageError as error:
        click.echo(_wrong_usage(error, meta.get(_CALLED, command)), err=True)
        return error.exit_code
    except KitError as error:
        console.print(Text(f"{meta.get(_CALLED, command).called}: {error}", style="red"))
        return _code(error)
    except KeyboardInterrupt:
        console.print(stopped)
        return 130


def _code(error: KitError) -> int:
    if isinstance(error, MissingTensorFlow):
        return NEEDS_TENSORFLOW
    return 2 if isinstance(error, UsageError) else 1


def _write_as_it_is(text: str | None, formatter: click.HelpFormatter) -> None:
    """Lines as they are written: click would fill them up."""
    if text:
        formatter.write(f"\n{inspect.cleandoc(text)}\n")


def _wrong_usage(error: click.UsageError, called: Command | Group) -> str:
    """The error of a command line, in the form of a KitError: what is wrong, and what to do about it."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    line = f"{called.called}: {error.format_message()}"
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        return line  # it says itself what was expected
    return f"{line}\n  {called.prog} --help shows what it takes."
