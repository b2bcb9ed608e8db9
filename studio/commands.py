"""The commands that do without the page: `studio list`, `studio run ENGINE` and `studio check PACKAGE`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import engines.edit
import engines.explore
from engines import Generator, Result, catalogue, load_generator, to_picture, write_directions
from engines.checks import package_findings
from engines.core.disk import check_file, write
from engines.core.errors import StudioError
from engines.core.images import png_bytes, side_by_side
from engines.core.knobs import Declared, Value
from engines.edit import FORMS
from engines.generators.finegan import load_finegan
from engines.hierarchy import FineFinder, FineSampler
from engines.inputs import Reading, Word, words_of
from engines.invert.encode.official import OfficialEncoder, load_official
from engines.plugins import AnyEngine, exported
from engines.registry import generator_for, left_out

_SHOWN_ROWS = 10
_USAGE = """usage: studio run ENGINE [--INPUT VALUE ...] [--KNOB VALUE ...] [--out out.png] [--save directions.npz]
       studio run ENGINE --help    what the engine takes
       studio run official --checkpoint e4e_ffhq_encode.pt --image photo.jpg    a published encoder of e4e or ReStyle
       studio run finegan --checkpoint netG_birds.pth --codes 12,1,12    a published generator of FineGAN
"""


def show_engines() -> int:
    """Print every engine with its knobs."""
    for engine in catalogue().values():
        _show(engine, engine.knob_set.declared())
    for one in left_out():
        print(one)
    return 0


def check_package(name: str | None) -> int:
    """Put a package's engines and generators to the contract and print what falls short; returns 1 if anything does.

    Raises:
        StudioError: There is no such package.
    """
    if not name:
        raise StudioError("studio check takes the name of an installed package, or of a module: studio check latent-studio-template.")
    short, subject = 0, ""
    for finding in package_findings(name):
        if finding.subject != subject:
            subject = finding.subject
            print(f"{subject}:")
        short += bool(finding.shortfall)
        print(f"    {finding.check}: {finding.shortfall or 'yes'}", flush=True)
    print(f"{name}: {short or 'nothing'} {'fall' if short > 1 else 'falls'} short.")
    return 1 if short else 0


def run_engine(parsed: argparse.Namespace) -> int:
    """Run an engine on what was written; `parsed` has its name, where results go, and the rest word by word.

    Raises:
        StudioError: A word that the engine does not know, or one that it cannot use.
    """
    if not parsed.engine:
        print(_USAGE)
        return show_engines()
    engine: Any = _engine(parsed)
    if parsed.explain:
        print(_USAGE)
        _show(engine, (*words_of(engine.accepts).values(), *engine.knob_set.declared()))
        return 0
    words, settings = _written(engine, parsed.rest)
    knobs = engine.knob_set.of(settings)
    _check_outputs(engine, parsed)
    generator = load_generator(parsed.generator, parsed.device)
    drawing: Any = generator if parsed.checkpoint else generator_for(engine.card, generator)
    if not parsed.checkpoint:
        engine.card.check(drawing)
    reading = Reading(drawing)
    request = engine.accepts.of(words, reading)
    for path, remark in reading.remarks:
        print(f"{path}: {remark}", file=sys.stderr)
    built = _from_checkpoint(engine, generator, parsed.checkpoint) if parsed.checkpoint else engine(drawing)
    for remark in getattr(built, "remarks", ()):
        print(remark, file=sys.stderr)
    _keep(_drive(built.run(request, knobs)), parsed, generator)
    return 0


def _engine(parsed: argparse.Namespace) -> type[AnyEngine]:
    """The engine that was asked for."""
    if parsed.engine == "official" or parsed.checkpoint:
        return _foreign(parsed)
    engine = catalogue().get(parsed.engine)
    if engine is None:
        raise StudioError(f"There is no engine {parsed.engine!r}; there are: {', '.join(catalogue())}.")
    return engine


def _show(engine: type[AnyEngine], lines: Iterable[Word | Declared]) -> None:
    print(f"{engine.card.name}: {engine.card.title} ({engine.card.paper or 'no paper'})")
    for line in lines:
        print(f"    {_said(line)}")


def _said(line: Word | Declared) -> str:
    """An option with what it takes and does."""
    if isinstance(line, Word):
        return f"{line.option}  {line.help}"
    allowed = ", ".join(line.offered) or ("true, false" if line.kind is bool else f"{line.knob.lo:g} to {line.knob.hi:g}")
    return f"{_option(line.name)} {line.default}  ({allowed})  {line.help}"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _written(engine: type[AnyEngine], rest: list[str]) -> tuple[dict[str, Any], dict[str, Value]]:
    """`--name value` pairs as what the request is made of, and as settings of knobs."""
    inputs, knobs = words_of(engine.accepts), {declared.name: declared for declared in engine.knob_set.declared()}
    words, settings, pending = dict[str, Any](), dict[str, Value](), list(rest)
    while pending:
        word = pending.pop(0)
        option, separator, text = word.removeprefix("--").partition("=")
        name = option.replace("-", "_")
        if not word.startswith("--") or name not in {**inputs, **knobs}:
            raise StudioError(_unknown(engine, word, inputs, knobs))
        if name in inputs and inputs[name].kind is bool and not separator:
            words[name] = True
            continue
        if not separator:
            if not pending:
                raise StudioError(f"{word} wants a value.")
            text = pending.pop(0)
        if name in knobs:
            settings[name] = knobs[name].parse(text)
        else:
            value = inputs[name].parse(text)
            words[name] = [*words.get(name, ()), value] if inputs[name].many else value
    if "beside" in words and not engine.tunes_along:
        raise StudioError(
            f"--beside goes with methods that tune the generator to several photos, such as pti; {engine.card.name} takes one."
        )
    return words, settings


def _unknown(engine: type[AnyEngine], word: str, inputs: Iterable[str], knobs: Iterable[str]) -> str:
    options, settings = (", ".join(map(_option, names)) or "none" for names in (inputs, knobs))
    return f"{word!r} came; {engine.card.name} takes the inputs {options}; the knobs here are: {settings}."


def _check_outputs(engine: type[AnyEngine], parsed: argparse.Namespace) -> None:
    """Refuse, before the work, what its result could not be written to."""
    if parsed.out.suffix.lower() != ".png":
        raise StudioError(f"--out {parsed.out} came; it takes a file that ends in .png.")
    check_file(parsed.out, "--out")
    if parsed.save is None:
        return
    if engine not in (*exported(engines.edit), *exported(engines.explore)):
        raise StudioError(f"--save goes with methods that find directions, such as interfacegan; {engine.card.name} finds none.")
    if parsed.save.suffix.removeprefix(".") not in FORMS:
        raise StudioError(f"--save {parsed.save} came; it takes a file that ends in {', '.join('.' + form for form in FORMS)}.")
    check_file(parsed.save, "--save")


def _foreign(parsed: argparse.Namespace) -> type[AnyEngine]:
    """The engine of a published checkpoint: FineGAN's, or that of encoders, which is in no catalogue since it wants a file."""
    able: dict[str, type[AnyEngine]] = {engine.card.name: engine for engine in (FineSampler, FineFinder)} | {"official": OfficialEncoder}
    if parsed.engine not in able:
        raise StudioError(
            f"--checkpoint came with {parsed.engine!r}; it goes with: studio run official --checkpoint FILE --image photo.jpg, "
            "or with finegan and finegan_codes."
        )
    if parsed.checkpoint is None:
        raise StudioError("studio run official takes a published encoder of e4e or ReStyle: add --checkpoint FILE.")
    return able[parsed.engine]


def _from_checkpoint(engine: Any, generator: Generator, path: Path) -> AnyEngine:
    """An engine over a published file: a generator that it draws with, or an encoder beside the generator."""
    if not path.is_file():
        raise StudioError(f"There is no file {path}.")
    return engine(load_finegan(path, generator.device)) if "finegan" in engine.card.needs else engine(generator, load_official(path))


def _drive(run: Any) -> Any:
    """Run to the end with a line of progress on stderr."""
    while True:
        try:
            progress = next(run)
        except StopIteration as stop:
            return stop.value
        losses = " ".join(f"{name} {value:.4f}" for name, value in progress.losses.items())
        print(f"\rstep {progress.step} of {progress.total} {losses}", end="", file=sys.stderr, flush=True)


def _keep(result: Result, parsed: argparse.Namespace, generator: Any) -> None:
    """Write the picture and the directions, and show the beginning of each table."""
    write(parsed.out, png_bytes(to_picture(side_by_side(result.images))))
    print(f"\rWrote {parsed.out}." + " " * 60)
    if parsed.save is not None:
        write(parsed.save, write_directions(result.directions, parsed.save.suffix.removeprefix("."), generator))
        print(f"Wrote {len(result.directions)} directions to {parsed.save}.")
    for name, table in result.tables.items():
        print(f"{name}: " + ", ".join(table.columns))
        for row in table.rows[:_SHOWN_ROWS]:
            print("    " + "  ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row))
