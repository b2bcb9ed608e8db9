// The map of faces. props.value holds every point with ten coordinates and its attributes; all views of it are drawn here, without
// asking the server again. A click is sent to the page as {name}; window.latentMap is what the page's controls and messages talk to.
const box = element.querySelector('.plot'), peek = element.querySelector('.peek'), count = element.querySelector('.count');
const UNKNOWN = 65535, PHONE = 600;
const SCALE = ['#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ac16d', '#a0da39'].map((colour, i) => [i / 5, colour]);
const GROUPS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#8a8a00', '#999999'];
const SYMBOLS = ['circle', 'square', 'triangle-up'], SOLIDS = ['circle', 'square', 'diamond'];
const known = new Map();
let pointer = {clientX: 0, clientY: 0};
let figure = null, columns = {}, paths = [], chosen = null, hovered = 0, dirty = false;
let view = {dimensions: 2, x: 0, y: 1, z: 2, colour: props.colour, only: '', low: 0, high: 0};

const escaped = text => text.replace(/[&<>]/g, sign => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[sign]);
const ink = () => getComputedStyle(box).color;
const paper = () => document.documentElement.classList.contains('dark') || document.body.classList.contains('dark') ? '#18181b' : '#ffffff';
const unpack = column => {
  const bytes = Uint8Array.from(atob(column.data), sign => sign.charCodeAt(0)), steps = new Uint16Array(bytes.buffer);
  const step = (column.high - column.low) / (UNKNOWN - 1);
  return Float32Array.from(steps, value => value === UNKNOWN ? NaN : column.low + value * step);
};
const read = value => {
  if (figure?.noun !== value.noun || value.noun === 'Change') chosen = null;
  figure = value;
  columns = {};
  for (const column of [...figure.axes, ...figure.columns]) columns[column.key] = {...column, values: unpack(column)};
  paths = [];
};
const axis = which => figure.axes[Math.min(view[which], figure.axes.length - 1)];
const dimensions = () => view.dimensions === 3 ? ['x', 'y', 'z'] : ['x', 'y'];
const at = place => Object.fromEntries(dimensions().map(which => [which, [place[figure.axes.indexOf(axis(which))] ?? 0]]));
const joined = places => Object.fromEntries(dimensions().map(which => [which, places.map(place => at(place)[which][0])]));
const kind = () => view.dimensions === 3 ? 'scatter3d' : 'scattergl';
const named = i => `${figure.noun} ${i + 1}`;

const visible = () => {
  const all = [...Array(figure.count).keys()], column = columns[view.only];
  return column ? all.filter(i => column.values[i] >= view.low && column.values[i] <= view.high) : all;
};
const cloud = (rows, more) => {
  const column = columns[view.colour];
  const said = i => figure.groups.length ? `${named(i)}: ${escaped(figure.groups[i])}` : named(i);
  const value = i => column && isFinite(column.values[i]) ? `<br>${escaped(column.title)}: ${column.values[i].toPrecision(3)}` : '';
  return {
    type: kind(), mode: 'markers', ids: rows.map(named), meta: 'points', hovertemplate: '%{text}<extra></extra>', text: rows.map(i => said(i) + value(i)),
    ...Object.fromEntries(dimensions().map(which => [which, Float32Array.from(rows, i => columns[axis(which).key].values[i])])), ...more,
  };
};
const points = () => {
  const rows = visible(), size = view.dimensions === 3 ? 3 : rows.length > 2500 ? 5 : 6, column = columns[view.colour];
  if (view.colour === 'group' && figure.groups.length) {
    return [...new Set(figure.groups)].map((group, i) => cloud(rows.filter(row => figure.groups[row] === group), {
      name: escaped(group), showlegend: true,
      marker: {size: size + 1, color: GROUPS[i % GROUPS.length], opacity: 0.8,
        symbol: (view.dimensions === 3 ? SOLIDS : SYMBOLS)[Math.floor(i / GROUPS.length) % 3]},
    }));
  }
  if (!column) return [cloud(rows, {name: 'faces', showlegend: false, marker: {size, color: '#0072b2', opacity: 0.6}})];
  const measured = rows.filter(i => isFinite(column.values[i])), rest = rows.filter(i => !isFinite(column.values[i]));
  const sorted = Float32Array.from(measured, i => column.values[i]).sort(), part = share => sorted[Math.floor(share * (sorted.length - 1))];
  const small = box.clientWidth < PHONE, title = {text: escaped(column.title), side: small ? 'top' : 'right'};
  const bar = {title, thickness: small ? 8 : 12, outlinewidth: 0, ...(small ? {orientation: 'h', y: -0.16, yanchor: 'top', len: 1} : {len: 0.9})};
  const traces = [cloud(measured, {name: 'faces', showlegend: false, marker: {
    size, color: measured.map(i => column.values[i]), colorscale: SCALE, cmin: part(0.01), cmax: part(0.99), opacity: 0.8, colorbar: bar}})];
  if (rest.length) traces.unshift(cloud(rest, {name: 'not measured', showlegend: true, marker: {size, color: '#999999', opacity: 0.4}}));
  return traces;
};
const lines = () => [
  ...figure.own.filter(item => item.slots.length).map(item => ({
    type: kind(), mode: 'lines+markers', ...joined(item.slots), name: 'its layers', showlegend: false, hovertemplate: escaped(item.name) + ', one layer<extra></extra>',
    line: {color: '#d55e00', width: 1}, marker: {size: view.dimensions === 3 ? 3 : 6, symbol: 'diamond', color: '#d55e00'}})),
  ...figure.arrows.map((item, i) => ({
    type: kind(), mode: 'lines+markers+text', ...joined([item.from, item.at]), text: ['', escaped(item.name)], textposition: 'top center', name: escaped(item.name), showlegend: false,
    hovertemplate: escaped(item.name) + ', 3 sigma<extra></extra>', line: {color: ink(), width: 3}, marker: {size: [0, 9], color: ink()}})),
  ...paths.map((path, i) => ({
    type: kind(), mode: 'lines+markers', ...joined(path.at), name: escaped(path.name), showlegend: true, text: path.at.map((_, step) => `${escaped(path.name)}, picture ${step + 1}`),
    hovertemplate: '%{text}<extra></extra>', line: {color: ['#d55e00', '#cc79a7'][i % 2], width: 3, dash: view.dimensions === 3 || !i ? 'solid' : 'dash'},
    marker: {size: view.dimensions === 3 ? 4 : 8, color: ['#d55e00', '#cc79a7'][i % 2]}})),
];
const single = () => {
  const traces = [];
  if (figure.own.length) traces.push({
    type: kind(), mode: 'markers', ...joined(figure.own.map(item => item.at)), name: 'your shelf', showlegend: true, ids: figure.own.map(item => item.name), meta: 'own',
    text: figure.own.map(item => escaped(item.name)), hovertemplate: '%{text}<extra></extra>',
    marker: {size: view.dimensions === 3 ? 7 : 14, symbol: 'diamond', color: '#d55e00', line: {width: 1, color: ink()}}});
  const i = chosen && chosen.startsWith(figure.noun) ? parseInt(chosen.slice(figure.noun.length)) - 1 : -1;
  const own = figure.own.find(item => item.name === chosen);
  const place = own ? at(own.at) : i >= 0 && i < figure.count ? Object.fromEntries(dimensions().map(which => [which, [columns[axis(which).key].values[i]]])) : null;
  if (place) traces.push({type: kind(), mode: 'markers', ...place, name: 'chosen', showlegend: false, hoverinfo: 'skip',
    marker: {size: view.dimensions === 3 ? 12 : 20, symbol: 'circle-open', color: ink(), line: {width: 3, color: ink()}}});
  return traces;
};
const layout = () => {
  const grid = {gridcolor: 'rgba(128,128,128,.25)', zerolinecolor: 'rgba(128,128,128,.6)'}, small = box.clientWidth < PHONE;
  const made = which => ({...grid, title: {text: axis(which).title}});
  return {
    height: small ? 470 : 560, margin: {l: small ? 42 : 55, r: 10, t: 10, b: small ? 110 : 45}, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: {color: ink()},
    legend: {orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0}, hovermode: 'closest', dragmode: view.dimensions === 3 ? 'orbit' : 'pan',
    uirevision: `${figure.noun} ${view.dimensions} ${view.x} ${view.y} ${view.z}`,
    ...(view.dimensions === 3 ? {scene: {xaxis: made('x'), yaxis: made('y'), zaxis: made('z')}} : {xaxis: made('x'), yaxis: made('y')}),
  };
};
const traces = () => [...points(), ...lines(), ...single()];
const draw = async () => {
  if (!figure) return;
  while (!window.Plotly) await new Promise(done => setTimeout(done, 50));
  if (!box.clientWidth) { dirty = true; return; }
  const start = performance.now();
  box.querySelector('.empty')?.remove();
  const first = !box._fullLayout;
  const options = {responsive: true, displaylogo: false, displayModeBar: window.innerWidth > PHONE ? 'hover' : false, scrollZoom: window.innerWidth > PHONE, modeBarButtonsToRemove: ['select2d', 'lasso2d', 'toImage']};
  await Plotly.react(box, traces(), layout(), options);
  if (first) listen();
  const shown = visible().length;
  count.textContent = `${shown} of ${figure.count} ${figure.noun.toLowerCase()}s shown` + (figure.own.length ? `, ${figure.own.length} of your shelf` : '');
  box.dataset.shown = shown; box.dataset.milliseconds = Math.round(performance.now() - start);
};

const pictures = async numbers => {
  const wanted = numbers.filter(number => !known.has(number));
  if (wanted.length) (await server.peek(wanted)).forEach((url, i) => known.set(wanted[i], url));
  return numbers.map(number => known.get(number));
};
const hover = async event => {
  const point = event.points[0], turn = ++hovered;
  const name = point.id ?? point.data.ids?.[point.pointNumber];
  if (!name) return leave();
  await new Promise(done => setTimeout(done, 60));
  if (turn !== hovered) return;
  const i = parseInt(name.slice(figure.noun.length)) - 1, pair = figure.faces[i];
  const urls = point.data.meta === 'own' ? [figure.own[point.pointNumber].image] : await pictures((pair ?? [i]).filter(number => number >= 0));
  if (turn !== hovered) return;
  const room = element.getBoundingClientRect(), mouse = pointer;
  peek.replaceChildren(...urls.filter(Boolean).map(url => Object.assign(new Image(), {src: url, alt: ''})));
  peek.hidden = !peek.childElementCount;
  const wide = 104 * urls.length;
  peek.style.left = `${Math.max(0, Math.min(mouse.clientX - room.x + 14, room.width - wide))}px`;
  peek.style.top = `${mouse.clientY - room.y + 18}px`;
};
const leave = () => { hovered++; peek.hidden = true; };
element.addEventListener('mousemove', event => { pointer = event; });
const listen = () => {
  box.on('plotly_hover', hover);
  box.on('plotly_unhover', leave);
  box.on('plotly_click', event => {
    const point = event.points[0], name = point.id ?? point.data.ids?.[point.pointNumber];
    if (name) trigger('pick', {name});
  });
};

const saved = (parts, name, type) => {
  const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(new Blob(parts, {type})), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const plain = (_, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
const save = async format => {
  if (!figure || !box._fullLayout) return;
  const size = {width: box.clientWidth, height: box.clientHeight};
  const whole = {data: traces(), layout: {...layout(), ...size, paper_bgcolor: paper(), plot_bgcolor: paper()}};
  if (format === 'svg') whole.data.forEach(trace => { if (trace.type === 'scattergl') trace.type = 'scatter'; });
  if (format !== 'html') return Plotly.downloadImage(whole, {...size, format, filename: 'latent-map', scale: 2});
  const script = await (await fetch(document.querySelector('script[src*="plotly.min.js"]').src)).text();
  delete whole.layout.width;  // follows the window
  const text = JSON.stringify(whole, plain).replaceAll('<', '\\u003c');
  saved(['<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Map of faces</title><body><div id="map"></div><script>', script.replaceAll('</script', '<\\/script'),
    `</script><script>const whole=${text};Plotly.newPlot('map',whole.data,whole.layout,{responsive:true,displaylogo:false})</script></body></html>`], 'latent-map.html', 'text/html');
};

window.latentMap = {
  view: settings => { view = {...view, ...settings}; draw(); },
  receive: message => {
    if (message.paths) paths = message.paths;
    if ('chosen' in message) chosen = message.chosen;
    draw();
  },
  save,
};
const take = () => { if (props.value && props.value.axes) { leave(); read(props.value); draw(); } };
new ResizeObserver(() => { if (dirty && box.clientWidth) { dirty = false; draw(); } }).observe(box);
watch('value', take);
take();
// the page listens for 'pick'
