"""The command line: `studio` opens the page; `studio list`, `run ENGINE`, `check PACKAGE`, `train RECIPE` and `bench` do without it."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import platformdirs

from engines import __version__
from engines.core.disk import sentence
from engines.core.errors import StudioError
from studio.serving import credentials
from studio.serving.address import check_address
from studio.settings import Settings, check_environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and obey; returns the exit status: 0 done, 1 a sentence on stderr says why not, 2 wrong usage."""
    parsed, rest = _parser().parse_known_args(arguments)
    if rest and parsed.command not in ("run", "train", "bench"):
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    commands = {None: _serve, "list": _list, "run": _run, "check": _check, "train": _train, "bench": _bench}
    parsed.rest = rest
    return in_words(lambda: commands[parsed.command](parsed))


def in_words(work: Callable[[], int | None]) -> int:
    """Do a command's work: what a person can answer is said in a sentence, with status 1; a fault of the program keeps its traceback."""
    try:
        return work() or 0
    except StudioError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the output has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except OSError as error:
        told = sentence(error)
        if told is None:
            raise
        print(told, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studio", description="See, use and teach the latent spaces of GANs. Without a command, opens the page."
    )
    parser.add_argument("--version", action="version", version=f"Latent Studio {__version__}")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; any other than this machine's own makes the page public")
    parser.add_argument("--port", type=int, help="port; by default the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="ask Gradio's relay for a temporary public link")
    parser.add_argument(
        "--auth", metavar="USER:PASSWORD", help="ask visitors for this login; others on this machine see it in its processes"
    )
    parser.add_argument(
        "--auth-file",
        type=Path,
        metavar="FILE",
        help="the same from a file of one line, USER:PASSWORD; without either, STUDIO_AUTH_FILE (a file) or STUDIO_AUTH (a login) counts",
    )
    parser.add_argument(
        "--keep-minutes",
        type=float,
        default=Settings.grace_minutes,
        metavar="MINUTES",
        help="how long what a visitor made stays after the last tab was closed or lost the connection; %(default)g by default",
    )
    parser.add_argument(
        "--no-history", action="store_true", help="keep no visit on disk; otherwise, on a private page, visits outlive a restart"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument(
        "--generator",
        default=Settings.generator,
        metavar="NAME",
        help="which generator to load: ffhq, toy, another of the registry, or one of another package; %(default)s by default",
    )
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("list", help="all engines with their knobs")
    run = commands.add_parser("run", help="run an engine on a photo, a seed or the labelled bank", add_help=False, allow_abbrev=False)
    run.add_argument("engine", nargs="?")
    run.add_argument("--out", type=Path, default=Path("out.png"))
    run.add_argument("--save", type=Path)
    run.add_argument("--checkpoint", type=Path)
    run.add_argument("-h", "--help", action="store_true", dest="explain")
    train = commands.add_parser("train", help="train one of the bundled networks anew", add_help=False)
    train.add_argument("recipe", nargs="?")
    check = commands.add_parser("check", help="put the engines and generators of a package to the contract")
    check.add_argument("package", nargs="?")
    commands.add_parser("bench", help="measure speed and quality on this machine", add_help=False)
    return parser


def _serve(parsed: argparse.Namespace) -> int:
    ignored = check_environment()
    if ignored:
        print(f"Ignored: {', '.join(ignored)}. The studio's own options decide.", file=sys.stderr)
    for name in ignored:
        del os.environ[name]  # Gradio reads some of them when it is imported
    login = credentials.given(parsed.auth, parsed.auth_file)
    settings = Settings(
        host=parsed.host,
        port=parsed.port,
        share=parsed.share,
        auth=None if login is None else (login.user, login.password),
        device=parsed.device,
        generator=parsed.generator,
        grace_minutes=parsed.keep_minutes,
        history=None if parsed.no_history else platformdirs.user_data_path("latent-studio", appauthor=False) / "visits",
    )
    check_address(settings.host, settings.port)
    for line in credentials.warnings(login, settings.public):
        print(line, file=sys.stderr)
    from studio.server import serve

    try:
        serve(settings)
    except OSError:
        check_address(settings.host, settings.port)  # a port that was free at the start and is taken by now is told in its sentence
        raise
    except ValueError as error:  # Gradio asks its own page for an answer first
        if "localhost is not accessible" not in str(error):
            raise
        raise StudioError(
            "The page did not answer on this machine: a proxy may stand between (set NO_PROXY=localhost,127.0.0.1), "
            "or the machine is too busy. Start it again."
        ) from error
    return 0


def _list(parsed: argparse.Namespace) -> int:
    from studio.commands import show_engines

    return show_engines()


def _run(parsed: argparse.Namespace) -> int:
    from studio.commands import run_engine

    return run_engine(parsed)


def _check(parsed: argparse.Namespace) -> int:
    from studio.commands import check_package

    return check_package(parsed.package)


def _train(parsed: argparse.Namespace) -> int:
    from engines.training.catalogue import recipes
    from engines.training.command import run

    known = recipes()
    if parsed.recipe not in known:
        raise StudioError(f"studio train takes a recipe, then its options (--help lists them); there are: {', '.join(known)}.")
    return run(known[parsed.recipe], parsed.rest)


def _bench(parsed: argparse.Namespace) -> int:
    """In a process of its own, so that this one's threads and memory do not colour the figures."""
    return subprocess.call([sys.executable, "-m", "benchmarks", *parsed.rest])


if __name__ == "__main__":
    sys.exit(main())
