"""Train pSp: heads over frozen trunks that have seen real pictures, by ridge regression, then by image losses on drawn and real faces.

    python -m scripts.align_portraits build/portraits ...    # 892 official portraits in the public domain; its file says from where
    studio train psp --preset cpu --portraits build/portraits
    studio train psp --preset cpu --portraits build/portraits --without levels      # ablation: every layer is told from the coarsest level
    studio train psp --preset cpu --portraits build/portraits --without portraits   # ablation: drawn faces alone

Losses are the paper's (arXiv:2008.00951, section 3.2), identity at a weight of 0.3: there is no ArcFace here. Portraits have no codes:
their losses are of pictures alone. Drawn faces keep a latent loss as well. A weak prior holds every layer where W has its faces: this
generator draws no face far outside, and what is lost there is lost in editing.
"""

from collections.abc import Iterator

from engines.losses.latent import latent_distance
from engines.nets.pyramid import READS
from engines.spaces.statistics import statistics
from engines.training.command import run
from engines.training.faces import FaceSetting
from engines.training.loop import Moment, Terms, TrainableModule, Trainer
from engines.training.material import Examples, Fitted, PortraitSetting
from engines.training.on_trunks import OnTrunks, PortraitTrainer, compared, spread
from engines.training.redrawing import Redrawing, draw
from engines.training.schedules import constant

WEIGHTS = {"pixel": 1.0, "perceptual": 0.8, "identity": 0.3, "latent": 0.6, "near": 0.005, "far": 0.1, "off": 0.02}
"""Of the losses, by name."""


class Psp(OnTrunks):
    """Level-split heads on the trunks' pyramid."""

    name = "psp"
    components: tuple[str, ...] = ("levels", "portraits")
    learning_rate = 1.5e-4

    def reads_of(self, setting: FaceSetting) -> tuple[int, ...]:
        """All groups read the coarsest level alone in the ablation of levels."""
        return (1,) * len(READS) if "levels" in setting.without else self.reads

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Heads on pictures and codes."""
        assert isinstance(setting, PortraitSetting)
        generator, material = setting.generator, Fitted(setting)
        known, redrawing, student = statistics(generator), Redrawing(generator), self.student(material)

        def objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            numbers = student(batch.levels)
            drawn = draw(generator, known.mean + student.offsets(numbers), redrawing.at(moment))
            coded = known.mean + student.offsets(student(batch.coded))
            latent = {"latent": latent_distance(coded, batch.codes, known.deviation)}
            yield dict(compared(redrawing, drawn, batch.target)) | latent | dict(spread(numbers))

        weights = {name: constant(value) for name, value in WEIGHTS.items()}
        modules = {"encoder": TrainableModule(student, objective, weights, self.learning_rate, (0.9, 0.98))}
        given = (setting.preset.plan, modules, material.examples, setting.folder / "checkpoint.pt", generator.device)
        return PortraitTrainer(*given, material=material)


def main() -> None:
    """The command line of this file."""
    run(Psp())


if __name__ == "__main__":
    main()
