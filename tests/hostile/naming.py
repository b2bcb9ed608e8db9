"""Ways in which a value can name a file of the machine, and files that it might name."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.answers import Call
from tests.hostile.visitor import Studio

META = {"_type": "gradio.FileData"}
FILES = ("image", "file", "uploadbutton", "gallery", "video", "audio", "imageslider", "imageeditor", "json", "html")
"""Components whose values may name a file."""

MISSING = "missing.png"


@dataclass(frozen=True)
class Targets:
    """Things that a path may name, made for the test; none of them may be told from one that is missing.

    Attributes:
        private: A picture outside the upload folder.
        paths: All of them by what they are.
    """

    private: Path
    paths: dict[str, str]

    @classmethod
    def made(cls, studio: Studio, folder: Path, picture: bytes) -> "Targets":
        """Make them, in a folder and as links in the upload folder."""
        private, pipe, empty = folder / "private.png", folder / "pipe", folder / "empty.png"
        private.write_bytes(picture)
        empty.write_bytes(b"")
        os.mkfifo(pipe)
        links = {"file": private, "folder": folder, "pipe": pipe, "device": Path("/dev/zero"), "itself": studio.uploads / "to-itself"}
        for name, target in links.items():
            (studio.uploads / f"to-{name}").symlink_to(target)
        os.mkfifo(studio.uploads / "pipe.png")
        up = "/".join([".."] * 12)
        paths = {
            "private picture": str(private),
            "empty private picture": str(empty),
            "password file": "/etc/passwd",
            "endless device": "/dev/zero",
            "device of nothing": "/dev/null",
            "memory of the process": "/proc/self/mem",
            "words that the process was started with": "/proc/self/environ",
            "open file of the process": "/proc/self/fd/0",
            "pipe": str(pipe),
            "pipe among the uploads": str(studio.uploads / "pipe.png"),
            "folder": str(folder),
            "root": "/",
            "upload folder": str(studio.uploads),
            "link out": str(studio.uploads / "to-file"),
            "link to a folder and on": str(studio.uploads / "to-folder" / "private.png"),
            "link to a pipe": str(studio.uploads / "to-pipe"),
            "link to a device": str(studio.uploads / "to-device"),
            "link to itself": str(studio.uploads / "to-itself"),
            "steps up from the uploads": f"{studio.uploads}/../private/private.png",
            "many steps up": f"{up}{private}",
            "relative": os.path.relpath(private, studio.home),
            "user's folder": "~/.bashrc",
            "two slashes": f"//{private}",
            "address of a file": f"file://{private}",
            "name that ends in a zero": f"{private}\0.png",
            "name of a dot": ".",
            "nothing": "",
            "5000 letters": "/" + "a" * 5000,
            "10 000 steps": "/." * 10_000 + str(private),
            "line ends": f"{private}\r\n",
            "share of Windows": "\\\\127.0.0.1\\share\\x.png",
        }
        return cls(private, paths)


def forms(heard: str) -> dict[str, Callable[[str], Any]]:
    """Ways in which a value can name a file, each a function of the path; `heard` is an address that nobody may ask for."""
    return {
        "without meta": lambda path: {"path": path},
        "with meta": lambda path: {"path": path, "meta": META},
        "of a foreign type": lambda path: {"path": path, "meta": {"_type": "gradio.ImageData"}},
        "of a type that is a list": lambda path: {"path": path, "meta": {"_type": [META]}},
        "of no type": lambda path: {"path": path, "meta": {}},
        "with meta that is nothing": lambda path: {"path": path, "meta": None},
        "said to be a stream": lambda path: {"path": path, "meta": META, "is_stream": True},
        "said to be an address of this page": lambda path: {"path": path, "url": f"/gradio_api/file={path}", "meta": META},
        "with an address of a file": lambda path: {"path": path, "url": f"file://{path}", "meta": META},
        "with an address of this machine": lambda path: {"path": path, "url": heard, "meta": META},
        "as an address of this machine alone": lambda _: {"url": heard, "meta": META},
        "as an address of this machine for a path": lambda _: {"path": heard, "meta": META},
        "as an address of a file alone": lambda path: {"url": f"file://{path}"},
        "as an address of this page alone": lambda path: {"url": f"/gradio_api/file={path}", "meta": META},
        "in a list": lambda path: [{"path": path, "meta": META}],
        "in lists": lambda path: [[{"path": path}]],
        "in a mapping": lambda path: {"image": {"path": path, "meta": META}, "caption": None},
        "as a video": lambda path: {"video": {"path": path, "meta": META}, "subtitles": {"path": path}},
        "as an editor's picture": lambda path: {"background": {"path": path}, "layers": [{"path": path}], "composite": {"path": path}},
        "as text": lambda path: path,
        "as a list of text": lambda path: [path],
        "as a path that is a list": lambda path: {"path": [path], "meta": META},
        "as a path that is a mapping": lambda path: {"path": {"path": path}, "meta": META},
        "with a name for the copy": lambda path: {"path": path, "orig_name": "../../climbed.png", "meta": META},
        "in base64": lambda path: {"path": None, "data": path, "name": path, "is_file": True},
        "as a file of old": lambda path: {"name": path, "is_file": True, "data": None},
        "as an encoded picture that names it": lambda path: {"url": f"data:image/svg+xml,<svg><image href='file://{path}'/></svg>"},
    }


def takes_files(studio: Studio, kinds: tuple[str, ...] = FILES) -> list[int]:
    """Events and endpoints of the running page with an input that may name a file."""
    return [number for number, inputs in studio.inputs.items() if any(each["type"] in kinds for each in inputs)]


def usual(component: dict[str, Any]) -> Any:
    """A value that a component would send by itself."""
    value = component["props"].get("value")
    return {} if component["type"] == "json" and value is None else value


def with_file(studio: Studio, event: int, title: str, value: Any) -> Call:
    """A call whose inputs for files all have one value, and whose others are as the page has them."""
    return Call(title, event, [value if each["type"] in FILES else usual(each) for each in studio.inputs[event]])
