"""The page opens without reading its events through Gradio's reactive wrapper a million times, and finds the same events."""

import pytest
from playwright.sync_api import expect

from studio.ui.opening import through_our_script
from tests.browser.test_pages import Visit, tab

pytestmark = pytest.mark.browser

_ALIKE = """backwards => {
  const {dependencies: events, components} = window.gradio_config, ids = components.map(({id}) => id), wrong = [];
  if (backwards) ids.reverse();
  for (const id of ids) {
    const e = {id};
    const found = events.filter(t=>t.targets.find(([t])=>t===e.id)).map(({id}) => id);
    const plain = [...events].filter(t => t.targets.some(([target]) => target === id)).map(({id}) => id);
    if (found.join() !== plain.join()) wrong.push(id);
  }
  return wrong;
}"""


def test_the_events_are_not_wrapped_and_still_answer(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    assert page.evaluate("() => window.gradio_config.dependencies.constructor.name") == "Events"
    assert page.evaluate("() => window.gradio_config.dependencies.map(event => event).constructor.name") == "Events"
    assert page.evaluate(_ALIKE, False) == [] and page.evaluate(_ALIKE, True) == []
    tab(page, "Edit directions")
    expect(page.locator("#edit-live img")).to_be_visible()


def test_whatever_the_order_a_component_has_its_own_events_and_in_order_it_is_looked_at_little(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    looks = page.evaluate("""() => {
      const {dependencies, layout} = window.gradio_config, events = dependencies.map(event => event);
      const inOrder = ({id, children = []}) => [id, ...children.flatMap(inOrder)];
      let looks = 0;
      for (const id of inOrder(layout)) {
        const e = {get id() { looks += 1; return id; }};
        events.filter(t=>t.targets.find(([t])=>t===e.id));
      }
      return looks / inOrder(layout).length;
    }""")
    assert looks <= 2


def test_what_is_no_page_is_handed_on_as_it_is() -> None:
    assert through_our_script({"detail": "Not authenticated"}) == '{"detail":"Not authenticated"}'
