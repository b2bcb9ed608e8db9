from pathlib import Path

import pytest

from engines.core.errors import StudioError
from studio.serving.credentials import LARGEST, Login, given, is_weak, warnings
from studio.settings import Settings

SECRET = "correct-horse-9"


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_login_comes_from_the_option_a_file_or_the_environment(tmp_path: Path) -> None:
    file = private(tmp_path / "login", f"class:{SECRET}\r\n".encode())
    ways = [
        given(f"class:{SECRET}", None, {"STUDIO_AUTH": "other:one"}),
        given(None, file, {"STUDIO_AUTH_FILE": "nowhere"}),
        given(None, None, {"STUDIO_AUTH": f"class:{SECRET}"}),
        given(None, None, {"STUDIO_AUTH_FILE": str(file)}),
    ]
    assert [(login.user, login.password) for login in ways if login] == [("class", SECRET)] * 4
    assert [login.source for login in ways if login] == ["--auth", "--auth-file", "STUDIO_AUTH", "STUDIO_AUTH_FILE"]
    assert given(None, None, {}) is None
    assert given("class:a:b", None, {}) == Login("class", "a:b", "--auth")


@pytest.mark.parametrize("text", ["", "hunter22", ":hunter22", "hunter22:", "hunter22: ", " :hunter22"])
def test_a_login_of_another_form_is_told_without_showing_it(text: str, tmp_path: Path) -> None:
    file = private(tmp_path / "login", text.encode())
    for words in ((text, None, {}), (None, file, {}), (None, None, {"STUDIO_AUTH": text}), (None, None, {"STUDIO_AUTH_FILE": str(file)})):
        with pytest.raises(StudioError, match="USER:PASSWORD") as refused:
            given(*words)
        assert "hunter22" not in str(refused.value)


@pytest.mark.parametrize("content", [b"a:b\nc:d", b"\xff\xfe:x", bytes(10), b"a:" + LARGEST * b"x"])
def test_a_file_that_holds_no_login_is_told(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="a text file with one line"):
        given(None, private(tmp_path / "login", content), {})


def test_two_logins_are_one_too_many(tmp_path: Path) -> None:
    for words in (("a:b", tmp_path, {}), (None, None, {"STUDIO_AUTH": "a:b", "STUDIO_AUTH_FILE": "x"})):
        with pytest.raises(StudioError, match="one of them"):
            given(*words)


def test_what_makes_a_login_weaker_is_said_in_lines_that_do_not_show_it(tmp_path: Path) -> None:
    file = private(tmp_path / "login", b"class:hello")
    shown, kept = Login("class", SECRET, "--auth"), Login("class", SECRET, "--auth-file", file)
    assert [line.split()[0] for line in warnings(shown, public=True)] == ["--auth"]
    assert "(ps)" in warnings(shown, public=True)[0]
    assert warnings(shown, public=False) == warnings(kept, public=True) == warnings(None, public=True) == []
    file.chmod(0o640)
    assert "chmod 600" in warnings(kept, public=False)[0]
    weak = Login("class", "hello", "--auth")
    assert len(warnings(weak, public=True)) == 2 and warnings(weak, public=False) == []
    assert not any(word in line for line in warnings(weak, public=True) for word in ("hello", SECRET))


def test_passwords_stay_out_of_what_is_printed_of_settings() -> None:
    assert SECRET not in repr(Login("class", SECRET, "--auth")) + repr(Settings(auth=("class", SECRET)))


@pytest.mark.parametrize(
    ("password", "weak"), [("hello", True), ("1234567890123", True), ("aaaaaaaaaaaa", True), ("classroom12", True), (SECRET, False)]
)
def test_weak_passwords(password: str, weak: bool) -> None:
    assert is_weak(Login("class", password, "--auth")) is weak
