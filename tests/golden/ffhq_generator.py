"""Renew ffhq_generator.npz: what OpenVINO draws, in float32, from the original networks of the package random-face.

    pip download --no-deps random-face==2021.7.21.1 -d downloads
    python -m tests.golden.ffhq_generator downloads/random_face-2021.7.21.1-py3-none-any.whl

The file holds `z` and `w` (3,512) in float32; `pixels_yx` (1500,2), places in the 1024 px picture; `rgb` (3,1500,3), the picture
there in float16. It knows nothing of our code, so it is only renewed when the package changes.
"""

import argparse
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import openvino

FACES, PIXELS, SIDE = 3, 1500, 1024
TARGET = Path(__file__).with_suffix(".npz")


def network(folder: Path, name: str) -> openvino.CompiledModel:
    """One network of the package, computing in float32."""
    return openvino.Core().compile_model(folder / f"{name}.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def main() -> None:
    """Draw three faces and keep some of their pixels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    stream = np.random.default_rng(2021)
    z = stream.standard_normal((FACES, 512)).astype(np.float32)
    places = stream.integers(0, SIDE, (PIXELS, 2)).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(parser.parse_args().wheel) as wheel:
            wheel.extractall(folder)
        data = Path(folder) / "random_face" / "data"
        mapping, synthesis = network(data, "MappingNetwork"), network(data, "SynthesisNetwork")
        w = np.concatenate([mapping([code[None]])[0] for code in z])
        pictures = np.concatenate([synthesis([code[None]])[0] for code in w])
    rgb = pictures[:, :, places[:, 0], places[:, 1]].transpose(0, 2, 1)
    np.savez_compressed(TARGET, z=z, w=w, pixels_yx=places, rgb=rgb.astype(np.float16))


if __name__ == "__main__":
    main()
