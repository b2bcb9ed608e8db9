"""A studio that is attacked, watched from outside, and the program that sends it everything."""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import httpx

from tests.hostile.answers import Answer, Call, finished, said
from tests.hostile.files import File
from tests.hostile.serving import PASSWORD, USER

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN, ANSWERS_WITHIN = 240.0, 60.0
"""Seconds, on a busy machine; what must be quick is measured alone."""

AT_ONCE, VISITORS = 12, 2
"""Calls that one open page has under way, and open pages: a new one costs the server a quarter of a second."""

MOST_RISE, MOST_KEPT = 300.0, 150.0
"""Megabytes that a file may cost while it is read, and afterwards."""

_TOO_MANY = "which is the most for one visitor"
_MOST_READ = 8_000_000
_SETTLES_WITHIN, _REQUEST_WITHIN = 8.0, 20.0
Case = TypeVar("Case")


class Studio:
    """A running studio with its own folders, and a private picture that nobody may see.

    Args:
        profile: "public" or "private".
        port: Where it listens.
        folder: An empty one.
    """

    def __init__(self, profile: str, port: int, folder: Path) -> None:
        self.profile, self.port, self.url = profile, port, f"http://127.0.0.1:{port}/"
        self.marks, self.home, self.temporary = (folder / name for name in ("marks", "home", "temporary"))
        for made in (self.marks, self.home, self.temporary):
            made.mkdir()
        self.log = folder / "log.txt"
        self.before = set(self._litter())
        self._pages = _new_pages()
        self._start()

    def _start(self) -> None:
        environment = os.environ | {
            "GRADIO_ANALYTICS_ENABLED": "False",
            "TMPDIR": str(self.temporary),
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MALLOC_ARENA_MAX": "2",
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("GRADIO_SERVER_PORT", None)
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "tests.hostile.serving", self.profile, str(self.port)]
            self.process = subprocess.Popen(command, cwd=self.home, env=environment, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it answers."""
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            try:
                httpx.get(self.url + "login_check", timeout=5)
                return
            except httpx.TransportError:
                time.sleep(0.3)
        raise AssertionError("the studio did not start: " + self.log.read_text(encoding="utf-8", errors="replace")[-3000:])

    def stop(self) -> None:
        """Tell it to end."""
        self.process.terminate()

    def ended(self) -> None:
        """Wait until it has."""
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the page is made of."""
        return self.client.get("config").raise_for_status().json()

    @cached_property
    def inputs(self) -> dict[int, list[dict[str, Any]]]:
        """Components that each event takes values of."""
        components = {component["id"]: component for component in self.config["components"]}
        events = [event for event in self.config["dependencies"] if event["backend_fn"]]
        return {event["id"]: [components[number] for number in event["inputs"]] for event in events}

    def event(self, name: str) -> int:
        """Number of the event of a name."""
        return int(next(event["id"] for event in self.config["dependencies"] if event["api_name"] == name))

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Of somebody who logged in."""
        with httpx.Client(base_url=self.url, timeout=ANSWERS_WITHIN) as client:
            if self.profile == "public":
                client.post("login", data={"username": USER, "password": PASSWORD}).raise_for_status()
            client.get("").raise_for_status()
            return {cookie.name: cookie.value or "" for cookie in client.cookies.jar}

    @cached_property
    def uploads(self) -> Path:
        """The folder where this visitor's uploads lie."""
        return Path(self.upload("a.png", b"x").raise_for_status().json()[0]).parents[1]

    def come_anew(self) -> None:
        """Be another visitor from now on, who has uploaded nothing yet."""
        for known in ("cookies", "client", "uploads"):
            self.__dict__.pop(known, None)
        self._pages = _new_pages()

    @cached_property
    def client(self) -> httpx.Client:
        """A program that is logged in."""
        headers = {"Accept-Encoding": "identity"}
        return httpx.Client(base_url=self.url, cookies=self.cookies, timeout=ANSWERS_WITHIN, headers=headers)

    def answers(self) -> bool:
        """Whether a request gets through."""
        with suppress(httpx.HTTPError):
            return self.client.get("login_check").status_code < 500
        return False

    def memory(self, line: str = "VmRSS") -> float:
        """Megabytes that the process holds, or its peak since `forget_peak` as "VmHWM"."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(rf"{line}:\s+(\d+)", status).group(1)) / 1024  # type: ignore[union-attr]

    def forget_peak(self) -> None:
        """Measure the peak anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="utf-8")

    def is_alive(self) -> bool:
        """Whether the process runs and the page opens."""
        if self.process.poll() is not None:
            return False
        with suppress(httpx.HTTPError):
            return self.client.get("").status_code == 200
        return False

    def marked(self) -> list[str]:
        """What code in files has left behind, anywhere it might have."""
        return [str(path) for path in self.marks.iterdir()] + [str(path) for path in self._litter() if path not in self.before]

    def _litter(self) -> Iterator[Path]:
        """Files that names in archives and uploads might have reached."""
        for folder in (self.home, self.home.parent, self.temporary, Path(tempfile.gettempdir())):
            yield from folder.glob("climbed*")

    def state(self, before: float) -> list[str]:
        """What is wrong with the studio itself, which held `before` megabytes."""
        if self.process.poll() is not None:
            return ["the studio died"]
        if not self.answers():
            return ["the studio does not answer"]
        found = [f"something was run or written: {mark}" for mark in self.marked()]
        if (rise := self.memory("VmHWM") - before) > MOST_RISE:
            found.append(f"memory rose by {rise:.0f} MB")
        end = time.monotonic() + _SETTLES_WITHIN
        while (kept := self.memory() - before) > MOST_KEPT and time.monotonic() < end:
            time.sleep(0.2)
        if kept > MOST_KEPT:
            found.append(f"{kept:.0f} MB of memory did not come back")
        return found

    def attack(
        self, cases: Sequence[Case], send: Callable[[Sequence[Case]], Sequence[Answer]], divided: int = 4
    ) -> list[tuple[Answer, list[str]]]:
        """Send cases together, and in halves again where they harmed the studio, a few times, to find the ones that did it."""
        if self.process.poll() is not None:
            self.revive()
        before = self.memory()
        self.forget_peak()
        answers = send(cases)
        harm = self.state(before)
        for mark in self.marks.iterdir():
            mark.unlink()
        if not harm or len(cases) == 1 or not divided:
            return [(answer, harm) for answer in answers]
        middle = len(cases) // 2
        found = self.attack(cases[:middle], send, divided - 1) + self.attack(cases[middle:], send, divided - 1)
        if not any(harm for _, harm in found):  # only all together do it, or it cannot be done twice
            found[0] = (found[0][0], [f"with {len(cases) - 1} others: {words}" for words in harm])
        return found

    def revive(self) -> None:
        """Start again what died."""
        self.come_anew()
        self._start()
        self.wait()

    def upload(self, name: str, data: bytes) -> httpx.Response:
        """Send a file to the upload folder."""
        return self.client.post("gradio_api/upload", files={"files": (name, data)})

    def send(self, calls: Sequence[Call]) -> list[Answer]:
        """Send some calls from one open page, and wait for all answers."""
        session = self._pages.get()
        try:
            return self._sent(calls, session)
        finally:
            self._pages.put(session)

    def _sent(self, calls: Sequence[Call], session: str) -> list[Answer]:
        started, answers, waiting = time.monotonic(), dict[int, Answer](), dict[str, int]()
        for number, call in enumerate(calls):
            body = {"data": call.values, "fn_index": call.event, "session_hash": session} | call.more
            content = call.raw.replace("SESSION", session) or json.dumps(body)
            headers = {"Content-Type": "application/json"}
            response = self.client.post("gradio_api/queue/join", content=content.encode("utf-8", "surrogatepass"), headers=headers)
            if response.status_code == 200:
                waiting[response.json()["event_id"]] = number
            else:
                words = said(response)
                answers[number] = Answer(response.status_code, words, False, response.text, time.monotonic() - started)
        for name, message in finished(self.client, session, set(waiting)):
            output = message.get("output") or {}
            succeeded = bool(message.get("success"))
            words = json.dumps(output.get("data"), ensure_ascii=False) if succeeded else output.get("error")
            answers[waiting[name]] = Answer(200, str(words or ""), succeeded, json.dumps(message), time.monotonic() - started)
        missing = Answer(0, "", False, "", time.monotonic() - started)
        return [answers.get(number, missing) for number in range(len(calls))]

    def send_all(self, calls: Sequence[Call]) -> list[Answer]:
        """Send calls as several visitors at once, a few at a time each."""
        parts = [calls[start : start + AT_ONCE] for start in range(0, len(calls), AT_ONCE)]
        with ThreadPoolExecutor(VISITORS) as pool:
            answers = [answer for part in pool.map(self.send, parts) for answer in part]
        return [self.send([call])[0] if _TOO_MANY in answer.words else answer for call, answer in zip(calls, answers, strict=True)]

    def send_files(self, files: Sequence[File], event: int, *others: Any) -> list[Answer]:
        """Upload files and hand each to an event, whose other inputs have the values `others`."""
        parts = [files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE)]
        with ThreadPoolExecutor(VISITORS) as pool:
            return [answer for part in pool.map(lambda part: self._send_some(part, event, others), parts) for answer in part]

    def _send_some(self, files: Sequence[File], event: int, others: Sequence[Any]) -> list[Answer]:
        calls, refused = list[Call](), dict[int, Answer]()
        for number, file in enumerate(files):
            mark = self.marks / re.sub(r"\W+", "-", file.title)
            response = self.upload(file.name, file.make(mark))
            if response.status_code == 200:
                value = {"path": response.json()[0], "meta": {"_type": "gradio.FileData"}, "orig_name": file.name}
                calls.append(Call(file.title, event, [value, *others]))
            else:
                refused[number] = Answer(response.status_code, said(response), False, response.text, 0.0)
        answers = iter(self.send(calls)) if calls else iter(())
        return [refused.get(number) or next(answers) for number in range(len(files))]

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request as it is, without putting its path or its headers right."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_REQUEST_WITHIN)
        given = {"Host": f"127.0.0.1:{self.port}", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        given |= {"Content-Length": str(len(body))} | dict(headers or {})
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            with suppress(ConnectionError):  # a server may refuse before all is sent
                connection.send(body)
            response = connection.getresponse()
            text = response.read(_MOST_READ).decode("utf-8", "replace")
            heads = "".join(f"{name}: {value}\n" for name, value in response.getheaders())
            return Answer(response.status, text, response.status < 400, heads + text, time.monotonic() - started)
        except (ConnectionError, http.client.HTTPException) as error:
            return Answer(400, f"The connection was closed: {type(error).__name__}", False, "", time.monotonic() - started)
        except TimeoutError:
            return Answer(0, "", False, "", time.monotonic() - started)
        finally:
            connection.close()

    def without_own_folder(self, text: str) -> str:
        """An answer without addresses of uploads, which a page needs to show them."""
        return text.replace(str(self.temporary), "")


def _new_pages() -> SimpleQueue[str]:
    """Session hashes, as each open page makes one."""
    pages: SimpleQueue[str] = SimpleQueue()
    for _ in range(VISITORS):
        pages.put(uuid.uuid4().hex)
    return pages
