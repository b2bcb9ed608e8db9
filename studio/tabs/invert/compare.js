// Distortion across, what the same edit leaves up: one panel for LEC where an encoder re-encoded the pictures, one for identity.
const box = element.querySelector('.tradeoff'), words = element.querySelector('.words');
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#8a8a00', '#999999'];
const SYMBOLS = ['circle', 'square', 'diamond', 'triangle-up', 'cross', 'star'];
const PHONE = 620;
let axis = 'lpips', dirty = false;

const escaped = text => String(text).replace(/[&<>]/g, sign => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[sign]);
const ink = () => getComputedStyle(box).color;
const told = (value, digits) => value === null || value === undefined ? 'not measured' : value.toFixed(digits);
const hover = point => [
  `<b>${escaped(point.title)}</b>`,
  `LPIPS ${told(point.lpips, 3)}, MSE ${told(point.mse, 4)}`,
  `identity distance ${told(point.identity_distance, 2)}, after the edit ${told(point.identity_after, 2)}`,
  `LEC ${told(point.consistency, 1)}`,
  `the edit itself ${told(point.change, 2)} standard deviations`,
  `${told(point.seconds, 1)} s`,
].join('<br>');

const panels = value => [
  ...(value.points.some(point => point.consistency !== null) ? [['consistency', 'LEC, lower is better']] : []),
  ['identity_after', 'Identity distance after the edit, lower is better'],
];
const traces = (value, shown) => shown.flatMap(([name], panel) => value.points.map((point, i) => ({
  type: 'scatter', mode: 'markers', x: [point[axis]], y: [point[name]], name: escaped(point.title), legendgroup: String(i), showlegend: panel === 0,
  xaxis: panel ? 'x2' : 'x', yaxis: panel ? 'y2' : 'y', text: [hover(point)], hovertemplate: '%{text}<extra></extra>',
  marker: {size: 13, color: COLOURS[i % COLOURS.length], symbol: SYMBOLS[i % SYMBOLS.length], line: {width: 1, color: ink()}},
})));
const layout = shown => {
  const small = box.clientWidth < PHONE, grid = 'rgba(128,128,128,0.25)', two = shown.length > 1;
  const across = {title: {text: axis === 'lpips' ? 'LPIPS, lower is better' : 'MSE, lower is better'}, gridcolor: grid, zeroline: false, rangemode: 'tozero', automargin: true};
  const up = text => ({title: {text, font: {size: small ? 11 : 13}}, gridcolor: grid, zeroline: false, automargin: true});
  const room = {
    width: box.clientWidth, height: small ? 330 * shown.length + 110 : 400, margin: {l: 55, r: 12, t: 12, b: 50},
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: {color: ink()}, hovermode: 'closest', dragmode: false,
    legend: {orientation: 'h', y: small ? -0.12 : -0.2, yanchor: 'top'}, hoverlabel: {align: 'left', namelength: -1},
  };
  const [first, second] = [[0, 0.46], [0.54, 1]];
  if (!two) return {...room, xaxis: across, yaxis: up(shown[0][1])};
  return small
    ? {...room, xaxis: {...across, anchor: 'y', title: {text: ''}}, yaxis: {...up(shown[0][1]), domain: second}, xaxis2: {...across, anchor: 'y2'}, yaxis2: {...up(shown[1][1]), domain: first}}
    : {...room, xaxis: {...across, domain: first}, yaxis: up(shown[0][1]), xaxis2: {...across, domain: second, anchor: 'y2'}, yaxis2: {...up(shown[1][1]), anchor: 'x2'}};
};
// four megabytes of script, which nobody waits for who compares nothing
const fetched = () => {
  const there = document.querySelector('script[src*="plotly.min.js"]');
  const script = there ?? Object.assign(document.createElement('script'), {src: PLOTLY});
  script.addEventListener('load', draw, {once: true});
  if (!there) document.head.append(script);
};
const draw = () => {
  const value = props.value;
  if (!value?.points?.length) { if (window.Plotly) Plotly.purge(box); box.replaceChildren(); words.textContent = ''; return; }
  if (!window.Plotly) return fetched();
  if (!box.clientWidth) { dirty = true; return; }
  const shown = panels(value);
  Plotly.react(box, traces(value, shown), layout(shown), {displayModeBar: false, responsive: false});
  words.textContent = `The edit: ${value.edit}. Down and left is better. An inversion that hardly takes the edit keeps the person too: rest on a point to see how far the edit went.`;
};
window.latentTradeoff = {across: name => { axis = name; draw(); }};
let width = 0;
new ResizeObserver(() => { if (box.clientWidth && (dirty || box.clientWidth !== width)) { dirty = false; width = box.clientWidth; draw(); } }).observe(box);
watch('value', draw);
draw();
