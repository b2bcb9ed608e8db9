"""The command line: `studio` opens the page; `studio list`, `studio run ENGINE`, `studio train RECIPE` and `studio bench` do without it."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from engines.core.errors import StudioError
from engines.core.knobs import Value
from studio.settings import Settings, check_environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and obey; returns the exit status: 0 done, 1 a sentence on stderr says why not, 2 wrong usage."""
    parsed, rest = _parser().parse_known_args(arguments)
    if rest and parsed.command not in ("run", "train", "bench"):
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    commands = {None: _serve, "list": _list, "run": _run, "train": _train, "bench": _bench}
    try:
        parsed.rest = rest
        return commands[parsed.command](parsed)
    except StudioError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studio", description="See, use and teach the latent spaces of GANs. Without a command, opens the page."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; any other than this machine's own makes the page public")
    parser.add_argument("--port", type=int, help="port; by default the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="ask Gradio's relay for a temporary public link")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask visitors for this login")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--generator", default="ffhq", choices=["ffhq", "toy"], help="which generator to load")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("list", help="all engines with their knobs")
    run = commands.add_parser("run", help="run an engine: invert a photo, find directions, look at a space", add_help=False)
    run.add_argument("engine", nargs="?")
    run.add_argument("--image", type=Path)
    run.add_argument("--beside", type=Path, action="append", default=[])
    run.add_argument("--context", type=Path)
    run.add_argument("--part", default="eyes, nose and mouth")
    run.add_argument("--mask", type=Path)
    run.add_argument("--out", type=Path, default=Path("out.png"))
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--attribute", default="smile")
    run.add_argument("--keep", default="")
    run.add_argument("--reference", type=int)
    run.add_argument("--save", type=Path)
    run.add_argument("--checkpoint", type=Path)
    run.add_argument("--codes", action="append", default=[])
    run.add_argument("--aligned", action="store_true")
    run.add_argument("-h", "--help", action="store_true", dest="explain")
    train = commands.add_parser("train", help="train one of the bundled networks anew", add_help=False)
    train.add_argument("recipe", nargs="?")
    commands.add_parser("bench", help="measure speed and quality on this machine", add_help=False)
    return parser


def _serve(parsed: argparse.Namespace) -> int:
    from studio.server import serve

    ignored = check_environment()
    if ignored:
        print(f"Ignored: {', '.join(ignored)}. The studio's own options decide.", file=sys.stderr)
    serve(Settings(parsed.host, parsed.port, parsed.share, _login(parsed.auth), parsed.device, parsed.generator))
    return 0


def _login(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    user, separator, password = text.partition(":")
    if not (user and separator and password):
        raise StudioError("--auth takes USER:PASSWORD, such as class:correct-horse; both parts are needed.")
    return user, password


def _list(_: argparse.Namespace) -> int:
    from engines import catalogue

    for name, engine in catalogue().items():
        print(f"{name}: {engine.card.title} ({engine.card.paper})")
        for declared in engine.knob_set.declared():
            allowed = (
                ", ".join(declared.choices)
                if declared.choices
                else "true, false"
                if declared.kind is bool
                else f"{declared.knob.lo:g} to {declared.knob.hi:g}"
            )
            print(f"    --{declared.name.replace('_', '-')} {declared.default}  ({allowed})  {declared.knob.help}")
    return 0


def _run(parsed: argparse.Namespace) -> int:
    from engines import catalogue, create, load_generator
    from engines.core.images import png_bytes, side_by_side, to_picture
    from engines.edit import write_directions

    if parsed.explain or not parsed.engine:
        print(
            "usage: studio run ENGINE [--image photo.jpg] [--beside another.jpg ...] [--context second.jpg] "
            "[--part eyes | --mask mask.png] [--aligned] "
            "[--attribute smile] [--keep age,gender] [--reference SEED] "
            "[--codes BACKGROUND,PARENT,CHILD ...] "
            "[--seed N] [--out out.png] [--save directions.npz] [--KNOB VALUE ...]\n"
            "       studio run official --checkpoint psp_ffhq_encode.pt --image photo.jpg    a published encoder of pSp, e4e or ReStyle\n"
            "       studio run finegan --checkpoint netG_birds.pth --codes 12,1,12    a published generator of FineGAN\n"
        )
        return _list(parsed)
    foreign = parsed.engine == "official" or parsed.checkpoint
    engine: Any = _foreign(parsed) if foreign else catalogue().get(parsed.engine)
    if engine is None:
        raise StudioError(f"There is no engine {parsed.engine!r}; there are: {', '.join(catalogue())}.")
    knobs = engine.knob_set.of(_settings(engine.knob_set, parsed.rest))
    if parsed.out.suffix.lower() != ".png":
        raise StudioError(f"--out {parsed.out} came; it takes a file that ends in .png.")
    generator = load_generator(parsed.generator, parsed.device)
    request = _request(engine, generator, parsed)
    built = engine(generator, _checkpoint(engine, parsed.checkpoint)) if parsed.checkpoint else create(parsed.engine, generator)
    result = _drive(built.run(request, knobs))
    parsed.out.write_bytes(png_bytes(to_picture(side_by_side(result.images))))
    print(f"\rWrote {parsed.out}." + " " * 60)
    if parsed.save is not None:
        parsed.save.write_bytes(write_directions(result.directions, parsed.save.suffix.removeprefix("."), generator))
        print(f"Wrote {len(result.directions)} directions to {parsed.save}.")
    for name, table in result.tables.items():
        print(f"{name}: " + ", ".join(table.columns))
        for row in table.rows[:10]:
            print("    " + "  ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row))
    return 0


def _foreign(parsed: argparse.Namespace) -> Any:
    """The engine of a published checkpoint: FineGAN's, or that of encoders, which is in no catalogue since it wants a file."""
    from engines.hierarchy import FineFinder, FineSampler
    from engines.invert.encode.official import OfficialEncoder

    able = {engine.card.name: engine for engine in (FineSampler, FineFinder)} | {"official": OfficialEncoder}
    if parsed.engine not in able:
        raise StudioError(
            f"--checkpoint came with {parsed.engine!r}; it goes with: studio run official --checkpoint FILE --image photo.jpg, "
            "or with finegan and finegan_codes."
        )
    if parsed.checkpoint is None:
        raise StudioError("studio run official takes a published encoder of pSp, e4e or ReStyle: add --checkpoint FILE.")
    return able[parsed.engine]


def _checkpoint(engine: Any, path: Path) -> Any:
    from engines.generators.finegan import load_finegan
    from engines.hierarchy.finegan import FineEngine
    from engines.invert.encode.official import load_official

    if not path.is_file():
        raise StudioError(f"There is no file {path}.")
    return load_finegan(path) if issubclass(engine, FineEngine) else load_official(path)


def _request(engine: Any, generator: Any, parsed: argparse.Namespace) -> Any:
    """What the engine accepts, filled from the command line."""
    from engines import BankRequest, DrawingRequest, FitRequest, HierarchyRequest, InvertRequest, MixRequest
    from engines.data import face_bank
    from engines.invert.optimize import DiffusionRequest, LocalRequest

    if engine.accepts is FitRequest:
        keep = tuple(name.strip() for name in parsed.keep.split(",") if name.strip())
        return FitRequest(bank=face_bank(generator), attribute=parsed.attribute, keep=keep, seed=parsed.seed)
    if engine.accepts is BankRequest:
        return BankRequest(bank=face_bank(generator), seed=parsed.seed)
    if engine.accepts is MixRequest:
        return _mix_request(generator, parsed)
    if engine.accepts is HierarchyRequest:
        return HierarchyRequest(codes=tuple(_codes(words, parsed.seed) for words in parsed.codes), seed=parsed.seed)
    if engine.accepts not in (InvertRequest, DiffusionRequest, LocalRequest, DrawingRequest):
        return engine.accepts(seed=parsed.seed)
    if parsed.image is None:
        raise StudioError(f"{engine.card.title} inverts a photo: add --image photo.jpg.")
    if engine.accepts is DrawingRequest:
        return DrawingRequest(image=_drawing(parsed.image), seed=parsed.seed)
    if parsed.beside and not engine.tunes_along:
        raise StudioError(
            f"--beside goes with methods that tune the generator to several photos, such as pti; {engine.card.name} takes one."
        )
    image = _face(parsed.image, generator, parsed.aligned)
    if engine.accepts is InvertRequest:
        beside = tuple((_face(path, generator, parsed.aligned), None) for path in parsed.beside)
        return InvertRequest(image=image, beside=beside, seed=parsed.seed)
    if engine.accepts is LocalRequest:
        other = None if parsed.context is None else _face(parsed.context, generator, parsed.aligned)
        return LocalRequest(image=image, other=other, mask=_mask(parsed, image, other), seed=parsed.seed)
    if parsed.context is None:
        raise StudioError(f"{engine.card.title} needs a second photo that receives the part: add --context receives.jpg.")
    context = _face(parsed.context, generator, parsed.aligned)
    return DiffusionRequest(image=image, context=context, mask=_mask(parsed, image, context), seed=parsed.seed)


def _mask(parsed: argparse.Namespace, image: Any, other: Any) -> Any:
    """The mask that was painted over the aligned face, light inside, or the named part of either face."""
    from engines.core.images import read_image, to_tensor
    from engines.faces.parts import PARTS, part_mask

    if parsed.mask is not None:
        if not parsed.mask.is_file():
            raise StudioError(f"There is no file {parsed.mask}.")
        return (to_tensor(read_image(parsed.mask), image.shape[-1])[:, :1] > 0).float()
    if parsed.part not in PARTS:
        raise StudioError(f"--part {parsed.part!r} came; there are: {'; '.join(PARTS)}.")
    return part_mask(parsed.part, *([image] if other is None else [image, other]))


def _face(path: Path, generator: Any, is_aligned: bool) -> Any:
    """The one face of a photo, aligned, as a tensor."""
    from engines.core.images import read_image, to_tensor
    from engines.faces import align, only_face

    if not path.is_file():
        raise StudioError(f"There is no file {path}.")
    photo = read_image(path)
    aligned = photo if is_aligned else align(photo, only_face(photo).alignment, generator.resolution)
    return to_tensor(aligned, generator.resolution)


def _codes(words: str, seed: int) -> Any:
    """The numbers of a background, a parent and a child."""
    from engines.generators.finegan import FineCodes

    numbers = [word.strip() for word in words.split(",")]
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        raise StudioError(f"--codes {words!r} came; it takes the numbers of a background, a parent and a child, such as 12,2,12.")
    background, parent, child = (int(number) for number in numbers)
    return FineCodes(background, parent, child, seed)


def _drawing(path: Path) -> Any:
    """The middle square of a picture, at most 256 px a side, as a tensor."""
    from engines.core.images import read_image, square, to_tensor

    if not path.is_file():
        raise StudioError(f"There is no file {path}.")
    picture = read_image(path)
    return to_tensor(square(picture, min(256, *picture.size)))


def _mix_request(generator: Any, parsed: argparse.Namespace) -> Any:
    """The face of one seed that takes over a part of another's."""
    from engines import Inversion, Latent, MixRequest, Part
    from engines.faces.parts import PARTS, parts
    from engines.generators.sketch import draw
    from engines.spaces.statistics import random_w

    if parsed.part not in PARTS:
        raise StudioError(f"There is no part {parsed.part!r}; there are: {', '.join(PARTS)}.")
    seeds = (parsed.seed, parsed.seed + 1 if parsed.reference is None else parsed.reference)
    source, reference = (Inversion(Latent("w", random_w(generator, seed))) for seed in seeds)
    own, other = (parts(draw(generator, face))[parsed.part] for face in (source, reference))
    return MixRequest(source=source, parts=(Part(reference, (own + other).clamp(0, 1)),), seed=parsed.seed)


def _drive(run: Any) -> Any:
    """Run to the end with a line of progress on stderr."""
    while True:
        try:
            progress = next(run)
        except StopIteration as stop:
            return stop.value
        losses = " ".join(f"{name} {value:.4f}" for name, value in progress.losses.items())
        print(f"\rstep {progress.step} of {progress.total} {losses}", end="", file=sys.stderr, flush=True)


def _settings(knob_set: Any, words: list[str]) -> dict[str, Value]:
    """`--knob value` pairs as settings."""
    known = {declared.name: declared for declared in knob_set.declared()}
    settings: dict[str, Value] = {}
    pending = list(words)
    while pending:
        word = pending.pop(0)
        name, separator, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if not word.startswith("--") or name not in known:
            raise StudioError(f"{word!r} came; the knobs here are: {', '.join('--' + knob.replace('_', '-') for knob in known)}.")
        if not separator:
            if not pending:
                raise StudioError(f"{word} wants a value.")
            value = pending.pop(0)
        settings[name] = known[name].parse(value)
    return settings


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
