"""Answers reach the page also where the server ends their connection while an event joins; once, a tab stayed empty then."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser
SCRIPT = Path("studio/ui/stream.js")
SERVER = """() => {
  window.connections = [];
  const text = new TextEncoder();
  window.fetch = async request => {
    const url = request.url ?? request;
    if (url.endsWith('/queue/join')) return new Response(JSON.stringify({event_id: window.next}));
    const body = new ReadableStream({start: out => { window.connections.push(out); }});
    return new Response(body, {headers: {'Content-Type': 'text/event-stream'}});
  };
  window.say = (place, message) => window.connections[place].enqueue(text.encode(`data: ${JSON.stringify(message)}\\n\\n`));
  window.end = place => window.connections[place].close();
  window.hear = async () => {
    window.heard = '';
    const reader = (await fetch('http://studio/queue/data?session_hash=a')).body.pipeThrough(new TextDecoderStream()).getReader();
    (async () => { for (;;) { const {value, done} = await reader.read(); if (done) return; window.heard += value; } })();
  };
  window.join = async name => { window.next = name; return (await fetch('http://studio/queue/join')).json(); };
}"""
"""A server whose connections the test speaks on and ends, and a page's side that asks as Gradio's does."""

SLOW = """
const plain = window.fetch;
window.fetch = async (...request) => {
  const response = await plain(...request);
  if (!String(request[0].url).includes('/queue/data')) return response;
  const late = new TransformStream({async transform(chunk, out) { await new Promise(done => setTimeout(done, 300)); out.enqueue(chunk); }});
  return new Response(response.body.pipeThrough(late), response);
};
"""
"""Answers that take their time, below the page's own script."""


@pytest.fixture
def new_page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


def listening(page: Page) -> None:
    page.goto("about:blank")
    page.evaluate(SERVER)
    page.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    page.evaluate("join('first')")
    page.evaluate("hear()")


def say(page: Page, place: int, message: str, name: str = "") -> None:
    page.evaluate("([place, msg, event_id]) => say(place, {msg, event_id})", [place, message, name])


def hears(page: Page, message: str, name: str) -> None:
    page.wait_for_function("([msg, name]) => heard.includes(msg) && heard.includes(name)", arg=[message, name])


def test_an_event_that_joins_while_its_connection_ends_gets_another(new_page: Page) -> None:
    listening(new_page)
    say(new_page, 0, "process_completed", "first")
    new_page.evaluate("join('second')")
    say(new_page, 0, "close_stream")
    new_page.evaluate("end(0)")
    new_page.wait_for_function("connections.length === 2")
    say(new_page, 1, "process_completed", "second")
    hears(new_page, "process_completed", "second")
    assert "close_stream" not in new_page.evaluate("heard"), "the page would take its stream for ended"


def test_an_event_after_its_connection_ended_opens_one_and_an_early_answer_is_not_waited_for(new_page: Page) -> None:
    listening(new_page)
    say(new_page, 0, "process_completed", "first")
    say(new_page, 0, "process_completed", "second")
    hears(new_page, "process_completed", "second")
    new_page.evaluate("join('second')")
    new_page.evaluate("end(0)")
    new_page.wait_for_timeout(200)
    assert new_page.evaluate("connections.length") == 1, "nothing is owed"
    new_page.evaluate("join('third')")
    new_page.wait_for_function("connections.length === 2")
    new_page.evaluate("join('fourth')")
    assert new_page.evaluate("connections.length") == 2, "two events share it"
    say(new_page, 1, "process_completed", "third")
    hears(new_page, "process_completed", "third")


def test_a_server_that_says_nothing_more_is_not_asked_for_ever(new_page: Page) -> None:
    listening(new_page)
    say(new_page, 0, "estimation", "first")
    new_page.evaluate("end(0)")
    new_page.wait_for_function("connections.length === 2")
    new_page.evaluate("end(1)")
    new_page.wait_for_timeout(200)
    assert new_page.evaluate("connections.length") == 2
    new_page.evaluate("join('second')")
    new_page.wait_for_function("connections.length === 3")
    say(new_page, 2, "unexpected_error")
    new_page.evaluate("end(2)")
    new_page.wait_for_timeout(200)
    assert new_page.evaluate("connections.length") == 3, "the server knows this page no more, and the page was told"


def test_a_tab_fills_over_a_slow_line(new_page: Page, toy_url: str) -> None:
    new_page.add_init_script(SLOW)
    new_page.goto(toy_url)
    new_page.get_by_role("tab", name="Edit directions").click()
    expect(new_page.locator("#edit-live img")).to_be_visible()
