// Cells fold by their headings, say how their runs stand, have addresses, and are listed at the side.
//
// All of it is done on what is drawn: Gradio's components are hidden, never taken away, since one that is not there loses its updates. Parts
// that fold are columns of the class "cell" or "fold" whose first child holds the button; `data-fold` says how one stands, and before the
// script has seen it, the class "folds" does.
(() => {
  const KEPT = 'latent-studio-folds';  // in the tab's memory: whether a part is open, by its name; "*" stands for all others
  const kept = (() => { try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? {}; } catch { return {}; } })();
  const keep = () => { try { sessionStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* no memory: nothing is kept */ } };
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const make = (tag, given = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), given);
    element.append(...inside);
    return element;
  };
  const drawn = element => element.getClientRects().length > 0;
  const say = (element, words) => { if (element && element.textContent !== words) element.textContent = words; };

  // -- folding
  const isOpen = part => part.dataset.fold === 'open';
  const headOf = part => part.querySelector(':scope > .heading button');
  const stand = (part, open) => {
    part.dataset.fold = open ? 'open' : 'shut';
    headOf(part)?.setAttribute('aria-expanded', open);
  };
  const turn = (parts, open) => {
    for (const part of parts) {
      kept[part.id] = open;
      stand(part, open);
    }
    keep();
    look();
    // what takes its width when it is drawn, such as a picture with a divider, looks again
    if (open) requestAnimationFrame(() => window.dispatchEvent(new Event('resize')));
  };
  const settle = () => {
    for (const part of all(':is(.cell, .fold):not([data-fold])')) {
      if (headOf(part)) stand(part, kept[part.id] ?? kept['*'] ?? !part.classList.contains('folds'));
    }
  };

  // -- what Gradio leaves without a name: the frame of a picture, and an example among others
  const nameless = '.image-container > button:not([aria-label]), .gallery-item:not([aria-label])';
  const name = () => all(nameless).forEach(button => {
    const label = button.closest('.block')?.querySelector('[data-testid=block-label], .label')?.textContent.trim();
    const number = button.matches('.gallery-item') ? ` ${[...button.parentElement.children].indexOf(button) + 1}` : '';
    button.setAttribute('aria-label', `${label || 'Picture'}${number}`);
  });

  // -- how a cell's runs stand, from the words beside their Run
  const GOING = /^(Waiting|Step |Stopping)|…\s*$| \d+ of \d+( measured)?( · [\d.]+ s)?$/;
  const stateOf = words => {
    if (!words) return '';
    if (GOING.test(words)) return 'running';
    if (/\bStopped\b/.test(words)) return 'stopped';
    const [, seconds] = /([\d.]+ (?:s|min))\b/.exec(words) ?? [];
    return seconds ? `done · ${seconds}` : 'done';
  };
  const statusOf = runner => {
    const name = runner.querySelector('button[id$="-run"]')?.id.replace(/-run$/, '-status');
    return document.getElementById(name)?.querySelector('.md')?.textContent.trim() ?? '';
  };
  const read = cell => {
    const runners = all('.runner', cell);
    if (!runners.length) return;
    const states = runners.map(runner => stateOf(statusOf(runner)));
    const now = states.find(one => one === 'running') ?? states.find(Boolean) ?? 'not run';
    const before = cell.dataset.state;
    if (!now.startsWith('done')) past.delete(cell);
    const state = past.has(cell) ? 'out of date' : now;
    cell.dataset.state = state;
    say(cell.querySelector(':scope > .heading .state'), state);
    if (state === 'running' && before !== state && !isOpen(cell)) turn([cell], true);
  };

  // -- what a hand changed since a run ended: what stands before the run in its own cell, and all in cells above the first run of a tab
  const past = new WeakSet();
  const CHOICES = '.thumbnail-item, .gallery-item, button:is([id$="-another"], [id$="-generated"], [id$="-reset"], [id$="-undo"], [id$="-redo"])';
  const outdate = ({type, target}) => {
    const cell = target.closest?.('.cell');
    if (type === 'click' && target.closest?.('.runner button[id$="-run"]')) past.delete(cell);  // it may end before it is seen to run
    if (!cell || (type === 'click' && !target.closest(CHOICES))) return;
    const cells = cellsHere(), at = cells.indexOf(cell), runners = cells.map(one => one.querySelector('.runner'));
    const own = runners[at], asked = own ? own.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING : at < runners.findIndex(Boolean);
    if (!asked) return;
    for (const one of cells.slice(own ? at : at + 1)) if (one.dataset.state?.startsWith('done')) past.add(one);
    ask();
  };
  for (const type of ['input', 'change', 'click']) document.addEventListener(type, outdate, true);

  // -- where one is
  const panel = () => all('[role=tabpanel]').find(tab => drawn(tab) && tab.querySelector('.cell'));
  const cellsHere = () => all('.cell', panel() ?? document.createElement('div'));
  const titleOf = name => window.gradio_config?.components?.find(part => part.props?.elem_id === name)?.props.label;
  const tabButton = name => {
    const button = all('[role=tab]').find(one => one.getAttribute('aria-controls') === name);
    // one that there is no room for is in the menu of further tabs
    return button ?? all('.overflow-dropdown button').find(one => one.textContent.trim() === titleOf(name));
  };
  const inTime = (found, then, until = performance.now() + 60000) => {
    const element = found();
    if (element) return then(element);
    if (performance.now() < until) setTimeout(() => inTime(found, then, until), 100);
  };
  const isPlace = hash => /^#cell-[a-z0-9-]+$/.test(hash);
  const go = hash => {
    if (!isPlace(hash)) return;
    const name = hash.slice(1), tab = `tab-${name.split('-')[1]}`;
    inTime(() => tabButton(tab), button => {
      if (button.getAttribute('aria-selected') !== 'true') button.click();
      inTime(() => [document.getElementById(name)].find(part => part && drawn(part.closest('.cell'))), part => {
        turn([...new Set([part.closest('.cell'), part])], true);
        requestAnimationFrame(() => {
          part.scrollIntoView({block: 'start'});
          headOf(part)?.focus({preventScroll: true});
        });
      });
    });
  };

  // -- the list of cells
  const list = make('ol'), bar = make('div', {className: 'bar'});
  for (const [words, open] of [['Unfold all', true], ['Fold all', false]]) {
    const button = make('button', {type: 'button'}, words);
    button.addEventListener('click', () => turn(open ? all('.cell', panel()) : cellsHere(), open));
    bar.append(button);
  }
  // code: the folds of Gradio's own that hold the lines of Python
  const codes = part => all('.label-wrap', part).filter(head => head.textContent.trim().startsWith('The same in Python'));
  const codeButton = make('button', {type: 'button', className: 'code'}, 'Show code');
  codeButton.addEventListener('click', () => {
    const show = codeButton.textContent === 'Show code';
    if (show) turn(cellsHere().filter(cell => codes(cell).length), true);
    for (const head of codes(panel())) if (head.classList.contains('open') !== show) head.click();
    say(codeButton, show ? 'Hide code' : 'Show code');
  });
  // one run after the other, each once the one before has ended; one that does not come to its end ends it all
  const settled = cell => new Promise(resolve => {
    let seen = false;
    const look = tries => {
      const state = cell.dataset.state ?? '';
      seen ||= state === 'running';
      if (seen && state !== 'running') resolve(state.startsWith('done'));
      else if (!seen && !tries) resolve(state.startsWith('done'));  // it may have been too quick to be seen
      else setTimeout(look, 250, tries - 1);
    };
    look(40);
  });
  const runAll = async cells => {
    for (const cell of cells) {
      turn([cell], true);
      const run = runIn(cell);
      if (!run) continue;
      run.click();
      if (!await settled(cell)) return;
    }
  };
  const aboveButton = make('button', {type: 'button', className: 'above'}, 'Run all above');
  aboveButton.title = 'Run the cells above the one you are in, one after the other';
  aboveButton.addEventListener('click', () => {
    const cells = cellsHere(), here = cells.indexOf(last?.isConnected ? last : cells.find(inSight));
    lift(false);
    runAll(cells.slice(0, Math.max(here, 0)));
  });
  let last = null;  // the cell that one was in
  document.addEventListener('focusin', event => { last = event.target.closest?.('.cell') ?? last; });
  bar.append(codeButton, aboveButton);
  const keysButton = make('button', {type: 'button', ariaLabel: 'Keys', title: 'Keys'}, '?');
  const away = make('button', {type: 'button', className: 'away'}, 'Close');
  bar.append(keysButton, away);
  const opener = make('button', {type: 'button', className: 'opener', ariaExpanded: 'false'}, 'Cells');
  const side = make('nav', {id: 'cell-list', ariaLabel: 'Cells of this tab'}, opener, make('div', {className: 'sheet'}, make('h2', {}, 'Cells'), list, bar));
  const lift = open => {
    side.classList.toggle('open', open);
    opener.ariaExpanded = String(open);
  };
  opener.addEventListener('click', () => {
    lift(true);
    list.querySelector('a')?.focus();
  });
  away.addEventListener('click', () => {
    lift(false);
    opener.focus();
  });
  list.addEventListener('click', event => {
    const link = event.target.closest('a');
    if (!link) return;
    event.preventDefault();
    lift(false);
    go(link.hash);
  });
  let listed = '';
  const relist = () => {
    const told = cellsHere().map(cell => {
      const head = headOf(cell), number = head?.querySelector('.number')?.textContent ?? '';
      const title = head?.textContent.trim().slice(number.length).trim() ?? '';
      return {id: cell.id, number, title, state: cell.dataset.state ?? '', fold: cell.dataset.fold};
    });
    const words = JSON.stringify(told);
    if (words === listed) return;
    listed = words;
    list.replaceChildren(...told.map(({id, number, title, state, fold}) => {
      const link = make('a', {href: `#${id}`}, make('b', {}, number), make('span', {}, title), make('small', {}, state));
      const item = make('li', {}, link);
      Object.assign(item.dataset, {state, fold});
      return item;
    }));
    side.hidden = !told.length;
  };

  // -- keys
  const KEYS = [
    ['Ctrl + Enter', 'Run the cell you are in, or the first open one on the screen'],
    ['Ctrl + Z, Ctrl + Shift + Z', 'Undo and redo, outside of text'],
    ['Tab, then Enter or Space on a heading', 'Fold or unfold a cell'],
    ['Arrow keys on a slider', 'Move it by one step'],
    ['Y, N, Delete, arrow keys on the faces of Your own directions', 'Answer yes or no, take an answer back, go to the next face'],
    ['?', 'Show this list'],
    ['Escape', 'Close it, or the list of cells'],
  ];
  const keys = make('dialog', {id: 'key-list', ariaLabel: 'Keys'});
  const close = make('button', {type: 'button'}, 'Close');
  keys.append(
    make('h2', {}, 'Keys'),
    make('dl', {}, ...KEYS.flatMap(([key, words]) => [make('dt', {}, key), make('dd', {}, words)])),
    close,
  );
  const showKeys = () => { if (!keys.open) keys.showModal(); };
  close.addEventListener('click', () => keys.close());
  keysButton.addEventListener('click', showKeys);
  const inSight = cell => { const {top, bottom} = cell.getBoundingClientRect(); return bottom > 0 && top < window.innerHeight; };
  const runIn = part => all('.runner button[id$="-run"]', part).find(button => drawn(button) && !button.disabled);
  const runHere = () => {
    for (let part = document.activeElement; part && part !== document.body; part = part.parentElement) {
      const run = part.closest('.cell') && runIn(part);
      if (run) return run;
      if (part.classList.contains('cell')) break;
    }
    return cellsHere().filter(inSight).map(runIn).find(Boolean);
  };
  const within = part => part && all('button[id$="-undo"]', part).some(drawn) ? part : null;
  const step = way => {
    const near = within(document.activeElement?.closest?.('.cell')) ?? cellsHere().map(within).find(Boolean);
    const button = near && all(`button[id$="-${way}"]`, near).find(drawn);
    button?.click();
    return Boolean(button);
  };
  const isText = element => element?.matches?.('input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select')
    || element?.isContentEditable;
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && side.classList.contains('open')) {
      lift(false);
      opener.focus();
    } else if (event.key === '?' && !event.ctrlKey && !event.metaKey && !isText(event.target)) {
      showKeys();
    } else if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.altKey && !isText(event.target)) {
      if (step(event.shiftKey ? 'redo' : 'undo')) event.preventDefault();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !keys.open) {
      const run = runHere(), held = document.activeElement;
      if (!run) return;
      event.preventDefault();
      event.stopPropagation();
      held?.blur?.();  // a box hands its number over when it is left
      setTimeout(() => { run.click(); held?.focus?.({preventScroll: true}); });
    }
  }, true);

  // -- leaving a page that forgets with something unsaved on it: the shelf, or a run's result
  const forgets = Boolean(document.querySelector('meta[name=latent-studio-forgets]'));
  const work = () => {
    const shelf = document.querySelector('#shelf-hint')?.textContent.trim() ?? '';
    const runs = all('.cell').filter(cell => /^(done|out)/.test(cell.dataset.state ?? '')).length;
    return (/\d on the shelf/.test(shelf) || runs) ? `${shelf} ${runs}` : '';
  };
  let saved = '';
  window.addEventListener('beforeunload', event => { if (forgets && ![saved, ''].includes(work())) event.preventDefault(); });

  // -- at work
  document.addEventListener('click', event => {
    if (event.target.closest?.('#book-save')) saved = work();
    // who chose a tab has begun
    if (event.target.closest?.('[role=tab], .overflow-dropdown button')) document.querySelector('#start .label-wrap.open')?.click();
    const head = event.target.closest?.('.cell-head, .fold-head');
    if (head) return turn([head.closest('.cell, .fold')], head.getAttribute('aria-expanded') !== 'true');
    const link = event.target.closest?.('.heading .anchor');
    if (!link) return;
    event.preventDefault();
    history.replaceState(history.state, '', link.hash);
    go(link.hash);
  });
  window.addEventListener('hashchange', () => go(location.hash));
  let asked = false, rested = 0;
  function look() {
    asked = false;
    rested = performance.now();
    settle();
    name();
    all('.cell').forEach(read);
    relist();
  }
  const ask = () => {
    if (asked) return;
    asked = true;
    const wait = document.querySelector(':is(.cell, .fold):not([data-fold])') ? 0 : Math.max(0, rested + 200 - performance.now());
    setTimeout(() => requestAnimationFrame(look), wait);
  };
  const begin = () => {
    document.body.append(side, keys);
    side.hidden = true;
    new MutationObserver(ask).observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['style', 'aria-selected'],
    });
    ask();
    go(location.hash);
  };
  if (document.body) begin();
  else document.addEventListener('DOMContentLoaded', begin);
})();
