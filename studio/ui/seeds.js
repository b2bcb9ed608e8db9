// Beside every seed: a die for another one, and a way back to the one before.
//
// A seed is written by hands, by buttons of the page and by the server. So what stands there is noted whenever a hand does anything.
(() => {
  const MOST = 2 ** 31, seen = new Map();
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const put = (input, value) => {
    write.call(input, value);
    for (const name of ['input', 'change', 'blur']) input.dispatchEvent(new Event(name, {bubbles: name !== 'blur'}));
  };
  const tool = (name, sign, act) => {
    const made = Object.assign(document.createElement('button'), {type: 'button', title: name, textContent: sign});
    made.setAttribute('aria-label', name);
    made.addEventListener('click', act);
    return made;
  };
  const note = () => {
    for (const [input, values] of seen) {
      if (!input.isConnected) seen.delete(input);
      else if (input.value !== '' && input.value !== values.at(-1)) values.push(input.value);
    }
  };
  const back = input => {
    note();
    const values = seen.get(input);
    if (values.length < 2) return;
    values.pop();
    put(input, values.at(-1));
  };
  const dress = () => {
    for (const block of document.querySelectorAll('.seed:not(.dressed)')) {
      const input = block.querySelector('input[type=number]');
      if (!input) continue;
      block.classList.add('dressed');
      seen.set(input, []);
      const tools = Object.assign(document.createElement('span'), {className: 'seed-tools'});
      if (!block.matches('.with-button')) tools.append(tool('A random seed', '⚄', () => put(input, Math.floor(Math.random() * MOST))));
      tools.append(tool('The seed before this one', '↶', () => back(input)));
      block.append(tools);
    }
    note();
  };
  for (const name of ['pointerdown', 'keydown', 'focusin']) document.addEventListener(name, note, true);
  const begin = () => { new MutationObserver(dress).observe(document.body, {subtree: true, childList: true}); dress(); };
  if (document.body) begin();
  else document.addEventListener('DOMContentLoaded', begin);
})();
