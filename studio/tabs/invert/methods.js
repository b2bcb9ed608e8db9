// Methods in groups, each with what it makes of the bundled portrait, and with the seconds that it took here. METHODS is
// [[group, what it is for, [[name, picture], ...]], ...]; seconds are this browser's, by name, since it last ran each.
const KEPT = 'latent-studio-seconds', root = element.getRootNode();
const radio = root.querySelector('#invert-method'), wrap = radio?.querySelector('.wrap');
let took = {};
try { took = JSON.parse(localStorage.getItem(KEPT)) ?? {}; } catch { /* a browser that keeps nothing */ }
const labels = () => Object.fromEntries([...radio.querySelectorAll('label:has(> input)')].map(label => [label.querySelector('input').value, label]));
const say = () => {
  for (const [name, label] of Object.entries(labels())) {
    if (took[name]) label.dataset.took = `${took[name] < 10 ? took[name].toFixed(1) : Math.round(took[name])} s`;
  }
};
if (wrap) {
  radio.classList.add('methods');
  const shown = labels();
  for (const [group, purpose, methods] of METHODS) {
    const heading = Object.assign(document.createElement('p'), {className: 'group', textContent: `${group}: ${purpose}`});
    shown[methods[0][0]]?.before(heading);
    for (const [name, picture] of methods) if (picture && shown[name]) shown[name].style.setProperty('--sample', `url("${picture}")`);
  }
  say();
  let running = '';
  root.querySelector('#invert-run')?.addEventListener('click', () => { running = radio.querySelector('input:checked')?.value ?? ''; });
  const status = root.querySelector('#invert-status');
  new MutationObserver(() => {
    const seconds = /^Done in ([\d.]+) s/.exec(status.textContent.trim())?.[1];
    if (!seconds || !running) return;
    took[running] = Number(seconds);
    running = '';
    try { localStorage.setItem(KEPT, JSON.stringify(took)); } catch { /* as above */ }
    say();
  }).observe(status, {subtree: true, childList: true, characterData: true});
}
