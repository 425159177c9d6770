"""The command line: one typer application, errors in one sentence, and the exit codes."""

from __future__ import annotations

import errno
import gc
import sys
import tempfile
from contextlib import suppress
from typing import Annotated, Final, NoReturn

import typer

import fbench
from fbench.cli import (
    architectures,
    claims,
    compare,
    doctor,
    export,
    leaderboard,
    merge,
    new_files,
    predict,
    report,
    run,
    show,
    slurm,
    speed,
    status,
    submit,
    tune,
)
from fbench.cli.data import data_app
from fbench.cli.imports import import_app
from fbench.cli.stop_signals import INTERRUPTED, STOPPED, EndedBySignal, ended_by_signals
from fbench.cli.surroundings import (
    end_output,
    keep_to_quota,
    mend_streams,
    require_working_folder,
)
from fbench.cli.usage import PARSER_ERROR, is_help, usage_sentence
from fbench.core.errors import UserError, readable, reason_on_a_line, traceback_of

OWN_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
REFUSED: Final = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO),
        *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ESTALE),
    }
)
"""What a disk, its permissions or limits refuse, which is no fault of the program."""

app = typer.Typer(
    name="fbench",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fbench {fbench.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Benchmarks and ablations of compact vision networks: one protocol, several seeds, honest costs, statistics."""


app.command("list")(architectures.list_command)
app.command("show")(show.show_command)
app.command("params")(architectures.params_command)
app.command("run")(run.run_command)
app.command("tune")(tune.tune_command)
app.command("speed")(speed.speed_command)
app.command("merge")(merge.merge_command)
app.command("slurm", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(slurm.slurm_command)
app.command("submit")(submit.submit_command)
app.command("leaderboard")(leaderboard.leaderboard_command)
app.command("status")(status.status_command)
app.command("report")(report.report_command)
app.command("claims")(claims.claims_command)
app.command("compare")(compare.compare_command)
app.command("export")(export.export_command)
app.command("predict")(predict.predict_command)
app.add_typer(data_app)
app.add_typer(import_app)
app.command("doctor")(doctor.doctor_command)
app.command("new-arch")(architectures.new_arch_command)
app.command("new-suite")(new_files.new_suite_command)
app.command("new-protocol")(new_files.new_protocol_command)
app.command("new-data")(new_files.new_data_command)


def main() -> None:
    """Run the command line. What a user did wrong is one sentence and exit code 2; ``--debug`` shows where a
    :class:`UserError` rose. So is what a disk refuses at the end of the work, such as a full one. A fault of the
    program itself is exit code 70, with its traceback in a file."""
    mend_streams()
    keep_to_quota()
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        require_working_folder()
        with ended_by_signals():
            code = _call()
    except UserError as error:
        if debug:
            raise
        _fail(str(error))
    except OSError as error:
        if debug:
            raise
        if error.errno not in REFUSED:
            _fail(_own_fault(error), OWN_FAULT)
        file = f" {error.filename}" if error.filename else ""
        _fail(
            f"The system refused to read or write{file} ({error.strerror}); mend that and run the same command again, "
            "which goes on from what was finished."
        )
    except PARSER_ERROR as error:
        if is_help(error):
            error.show()
            raise SystemExit(2) from None
        _fail(usage_sentence(error))
    except EndedBySignal as ended:
        _fail(str(ended), STOPPED)
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(INTERRUPTED) from None
    except (Exception, SystemExit) as error:  # an exit too, of a library or a user's code: the command has not ended
        if debug:
            raise
        _fail(_own_fault(error), OWN_FAULT)
    gc.freeze()  # at its end Python looks for garbage among a million objects of a large run, for half a second
    raise SystemExit(code)


def _call() -> object:
    """Run the command that was asked for; its exit code."""
    code: object = app(standalone_mode=False)
    end_output()
    return code


def _own_fault(error: BaseException) -> str:
    """A sentence on an error that no user caused; its traceback is kept in a file of the system's temporary folder."""
    descriptor, name = tempfile.mkstemp(prefix="fbench-fault-", suffix=".txt")
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - it is open already
        stream.write(traceback_of(error))
    return (
        f"fbench itself failed ({reason_on_a_line(error, 300)}); the traceback is in {name}, which belongs into a "
        "report of the fault; what was finished is kept, and the same command goes on from there."
    )


def _fail(sentence: str, code: int = 2) -> NoReturn:
    with suppress(OSError):  # standard error may be as full as the disk
        typer.echo(f"fbench: {readable(sentence)}", err=True)
    with suppress(OSError):
        end_output()
    raise SystemExit(code) from None
