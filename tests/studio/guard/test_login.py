"""Login and logout: who gets in, how often they may guess, and whose visit ends."""

import httpx
import pytest

from studio.serving.guard.login import FREE_TRIES, LONGEST_WAIT, PER_ADDRESS, PER_SERVER, Brake
from tests.studio.guard.served import RIGHT, WRONG


def test_a_logout_ends_the_callers_visit_only(public_url: str) -> None:
    visitors = [httpx.Client(base_url=public_url) for _ in range(2)]
    for visitor in visitors:
        assert visitor.post("/login", data=RIGHT).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"referer": "https://evil.example/page"}
    assert [visitors[0].get("/logout", headers=headers).status_code for headers in foreign] == [403] * 3
    assert [visitor.get("/config").status_code for visitor in visitors] == [200, 200]
    answer = visitors[0].get("/logout")
    assert answer.status_code == 303 and answer.headers["location"] == "./"
    assert [visitor.get("/config").status_code for visitor in visitors] == [401, 200]
    assert httpx.post(f"{public_url}/logout").status_code == 303


def test_a_logins_cookies_are_no_other_sites(public_url: str) -> None:
    answer = httpx.post(f"{public_url}/login", data=RIGHT)
    cookies = [value for name, value in answer.headers.multi_items() if name == "set-cookie"]
    assert len(cookies) == 2 and all("HttpOnly" in cookie and cookie.endswith("SameSite=Lax") for cookie in cookies)


def test_after_five_wrong_passwords_a_browser_waits_and_others_do_not(public_url: str) -> None:
    with httpx.Client(base_url=public_url) as guesser, httpx.Client(base_url=public_url) as pupil:
        guesser.get("/")
        assert [guesser.post("/login", data=WRONG).status_code for _ in range(FREE_TRIES)] == [400] * FREE_TRIES
        answer = guesser.post("/login", data=RIGHT)
        assert answer.status_code == 429 and answer.headers["retry-after"] == "1" and "Wait 1 s" in answer.json()["detail"]
        pupil.get("/")
        assert pupil.post("/login", data=RIGHT).status_code == 200
        assert "login-wait" in guesser.get("/").text and "login-wait" not in pupil.get("/").text
    assert httpx.post(f"{public_url}/login", content=b"x" * 5000).status_code == 413


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_wait_doubles_up_to_a_minute() -> None:
    clock, waits = Clock(), list[float]()
    brake = Brake(clock)
    for _ in range(FREE_TRIES + 9):
        waits.append(brake.wait("10.0.0.1", "a"))
        clock.now += waits[-1]
        if waits[-1]:
            assert brake.wait("10.0.0.1", "a") == 0
    assert waits[: FREE_TRIES + 8] == [0] * FREE_TRIES + [1, 2, 4, 8, 16, 32, LONGEST_WAIT, LONGEST_WAIT]


@pytest.mark.parametrize(("addresses", "bound"), [(1, PER_ADDRESS), (1000, PER_SERVER)])
def test_guesses_are_bounded_however_many_cookies_and_addresses_come(addresses: int, bound: tuple[int, float]) -> None:
    clock, taken = Clock(), 0
    brake = Brake(clock)
    for guess in range(20_000):
        clock.now += 0.01
        taken += brake.wait(f"10.0.0.{guess % addresses}", str(guess)) == 0
    assert taken <= bound[0] + 200 * bound[1] + 1


def test_a_class_behind_one_address_logs_in_at_once_and_is_not_locked_out() -> None:
    clock = Clock()
    brake = Brake(clock)
    for pupil in range(200):
        assert brake.wait("10.0.0.1", f"pupil {pupil}") == 0
        brake.passed("10.0.0.1", f"pupil {pupil}")
    for guess in range(500):
        brake.wait("10.0.0.1", f"guess {guess}")
    assert brake.wait("10.0.0.1", "guess 501") > 0
    assert [brake.wait("10.0.0.1", f"pupil {pupil}") for pupil in range(200)] == [0] * 200
    assert brake.wait("10.0.0.2", "from another address") == 0


def test_a_class_of_programs_without_cookies_logs_in_at_once() -> None:
    brake = Brake(Clock())
    assert [brake.wait("10.0.0.1", "") for _ in range(30)] == [0] * 30
    for _ in range(1000):
        brake.wait("10.0.0.1", "")
    assert brake.wait("10.0.0.1", "") > 0
