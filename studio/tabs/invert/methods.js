// Methods in groups, each with what it makes of the bundled portrait, and with the seconds that it took here. METHODS is
// [[group, what it is for, [[name, picture], ...]], ...]; seconds are this browser's, by name, since it last ran each.
//
// The buttons are Gradio's own; they may be drawn after this, and drawn again, so whatever is new among them is dressed.
const KEPT = 'latent-studio-seconds', cell = element.closest('.cell');
let took = {}, running = '';
try { took = JSON.parse(localStorage.getItem(KEPT)) ?? {}; } catch { /* a browser that keeps nothing */ }
const words = seconds => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
const dress = () => {
  const radio = cell.querySelector('#invert-method');
  if (!radio?.querySelector('label > input')) return;
  if (!radio.classList.contains('methods')) radio.classList.add('methods');
  const labels = Object.fromEntries([...radio.querySelectorAll('label:has(> input)')].map(label => [label.querySelector('input').value, label]));
  const headed = radio.querySelector('.group');
  for (const [group, purpose, methods] of METHODS) {
    if (!headed) labels[methods[0][0]]?.before(Object.assign(document.createElement('p'), {className: 'group', textContent: `${group}: ${purpose}`}));
    for (const [name, picture] of methods) {
      const label = labels[name], seconds = took[name] && words(took[name]);
      if (label && picture && !label.style.getPropertyValue('--sample')) label.style.setProperty('--sample', `url("${picture}")`);
      if (label && seconds && label.dataset.took !== seconds) label.dataset.took = seconds;
    }
  }
};
const time = () => {
  const seconds = /^Done in ([\d.]+) s/.exec(cell.querySelector('#invert-status')?.textContent.trim() ?? '')?.[1];
  if (!seconds || !running) return;
  took[running] = Number(seconds);
  running = '';
  try { localStorage.setItem(KEPT, JSON.stringify(took)); } catch { /* as above */ }
};
cell.addEventListener('click', event => {
  if (event.target.closest('#invert-run')) running = cell.querySelector('#invert-method input:checked')?.value ?? '';
});
new MutationObserver(() => { time(); dress(); }).observe(cell, {subtree: true, childList: true, characterData: true});
dress();
