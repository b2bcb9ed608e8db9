// The map of faces. props.value holds every point with ten coordinates and its attributes; all views of it are drawn here, without
// asking the server again. A click is sent to the page as {name}; window.latentMap is what the page's controls and messages talk to.
const box = element.querySelector('.plot'), peek = element.querySelector('.peek'), count = element.querySelector('.count');
const UNKNOWN = 65535, PHONE = 600;
const SCALE = ['#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ac16d', '#a0da39'].map((colour, i) => [i / 5, colour]);
const GROUPS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#8a8a00', '#999999'];
const WAYS = ['#d55e00', '#cc79a7', '#0072b2'];
const SYMBOLS = ['circle', 'square', 'triangle-up'], SOLIDS = ['circle', 'square', 'diamond'];
const HOVER = {hoverinfo: 'none'};  // what a point says stands in one box with its picture, where neither covers the other
const known = new Map();
const MISSING = 'directions of S move styles that no code of W has, so they show on maps of S; those of Z move each face another way';
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
  if (figure?.basis !== value.basis) paths = [];  // on other axes they lie elsewhere
  figure = value;
  columns = {};
  for (const column of [...figure.axes, ...figure.columns]) columns[column.key] = {...column, values: unpack(column)};
};
const axis = which => figure.axes[Math.min(view[which], figure.axes.length - 1)];
const dimensions = () => view.dimensions === 3 ? ['x', 'y', 'z'] : ['x', 'y'];
const at = place => Object.fromEntries(dimensions().map(which => [which, [place[figure.axes.indexOf(axis(which))] ?? 0]]));
const joined = places => Object.fromEntries(dimensions().map(which => [which, places.map(place => at(place)[which][0])]));
const kind = () => view.dimensions === 3 ? 'scatter3d' : 'scattergl';
const number = i => i < figure.kept ? i : i + figure.skipped;
const named = i => `${figure.noun} ${number(i) + 1}`;
const row = name => {  // the point of that name, -1 where it is not on this map
  const n = parseInt(name.slice(figure.noun.length)) - 1, i = n < figure.kept ? n : n - figure.skipped;
  return i < figure.count && number(i) === n ? i : -1;
};

const visible = () => {
  const all = [...Array(figure.count).keys()], column = columns[view.only];
  return column ? all.filter(i => column.values[i] >= view.low && column.values[i] <= view.high) : all;
};
const cloud = (rows, more) => {
  const column = columns[view.colour];
  const said = i => figure.groups.length ? `${named(i)}: ${escaped(figure.groups[i])}` : named(i) + (i < figure.kept ? '' : ', new');
  const value = i => column && isFinite(column.values[i]) ? `<br>${escaped(column.title)}: ${column.values[i].toPrecision(3)}` : '';
  return {
    type: kind(), mode: 'markers', ids: rows.map(named), meta: 'points', ...HOVER, text: rows.map(i => said(i) + value(i)),
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
  const bar = {title, thickness: small ? 8 : 12, outlinewidth: 0, ...(small ? {orientation: 'h', y: -0.2, yanchor: 'top', len: 1} : {len: 0.9})};
  const fresh = figure.kept < figure.count && view.dimensions === 2;
  const marked = fresh ? {symbol: measured.map(i => i < figure.kept ? 'circle' : 'star'), size: measured.map(i => i < figure.kept ? size : size + 9), line: {color: ink(), width: measured.map(i => i < figure.kept ? 0 : 1)}} : {size};
  const traces = [cloud(measured, {name: 'faces', showlegend: false, marker: {
    ...marked, color: measured.map(i => column.values[i]), colorscale: SCALE, cmin: part(0.01), cmax: part(0.99), opacity: 0.8, colorbar: bar}})];
  if (rest.length) traces.unshift(cloud(rest, {name: 'not measured', showlegend: true, marker: {size, color: '#999999', opacity: 0.4}}));
  return traces;
};
// Arrows are drawn longer by one factor where they would be dots in the cloud; the legend says by how much.
const FACTORS = [100, 50, 20, 10, 5, 2];
const part = item => Math.hypot(...dimensions().map(which => at(item.at)[which][0] - at(item.from)[which][0]));
const factor = () => {
  const longest = Math.max(...figure.arrows.map(part)), sides = dimensions().map(which => figure.axes[figure.axes.indexOf(axis(which))]);
  const room = 0.3 * Math.max(...sides.map(side => side.high - side.low));
  return FACTORS.find(times => longest * times <= room) ?? 1;
};
const tip = (item, times) => item.at.map((value, i) => item.from[i] + times * (value - item.from[i]));
const about = (item, times) => {
  const share = item.length ? Math.round(100 * Math.min(1, (part(item) / item.length) ** 2)) : 0;
  return `${escaped(item.name)}<br>3 sigma${times > 1 ? `, drawn ${times} times as long` : ''}<br>${share < 1 ? 'less than 1' : share} % of it lies in this view`;
};
const arrows = () => {
  const times = factor(), name = `directions: 3 sigma${times > 1 ? ` × ${times}` : ''}`, common = {name, legendgroup: 'arrows', line: {color: ink(), width: 3}};
  if (view.dimensions === 2) return [{...common, type: 'scatter', mode: 'lines', x: [null], y: [null], showlegend: true}];  // drawn as annotations, above the points
  return figure.arrows.map((item, i) => ({...common, type: 'scatter3d', mode: 'lines+markers+text', ...joined([item.from, tip(item, times)]), text: ['', escaped(item.name)],
    textposition: 'top center', showlegend: i === 0, hovertemplate: about(item, times) + '<extra></extra>', textfont: {color: ink(), size: 12}, marker: {size: [0, 6], color: ink()}}));
};
const annotations = () => {
  if (view.dimensions === 3 || !figure.arrows.length) return [];
  const times = factor();
  return figure.arrows.flatMap(item => {
    const from = at(item.from), to = at(tip(item, times)), place = {x: to.x[0], y: to.y[0]}, up = place.y >= from.y[0];
    return [
      {...place, ax: from.x[0], ay: from.y[0], xref: 'x', yref: 'y', axref: 'x', ayref: 'y', text: '', showarrow: true, arrowhead: 2, arrowwidth: 2.5, arrowcolor: ink()},
      {...place, text: escaped(item.name), showarrow: false, yshift: up ? 12 : -12, bgcolor: paper(), opacity: 0.9, borderpad: 2, hovertext: about(item, times), captureevents: true},
    ];
  });
};
const lines = () => [
  ...figure.own.filter(item => item.slots.length).map(item => ({
    type: kind(), mode: 'lines+markers', ...joined(item.slots), name: 'its layers', showlegend: false, hovertemplate: escaped(item.name) + ', one layer<extra></extra>',
    line: {color: '#d55e00', width: 1}, marker: {size: view.dimensions === 3 ? 3 : 6, symbol: 'diamond', color: '#d55e00'}})),
  ...(figure.arrows.length ? arrows() : []),
  ...paths.map((path, i) => ({
    type: kind(), mode: 'lines+markers', ...joined(path.at), name: escaped(path.name), showlegend: true, text: path.at.map((_, step) => `${escaped(path.name)}, picture ${step + 1}`),
    hovertemplate: '%{text}<extra></extra>', line: {color: WAYS[i % 3], width: 3, dash: view.dimensions === 3 ? 'solid' : ['solid', 'dash', 'dot'][i % 3]},
    marker: {size: view.dimensions === 3 ? 4 : 8, color: WAYS[i % 3]}})),
];
const single = () => {
  const traces = [];
  if (figure.own.length) traces.push({
    type: kind(), mode: 'markers', ...joined(figure.own.map(item => item.at)), name: 'your shelf', showlegend: true, ids: figure.own.map(item => item.name), meta: 'own',
    text: figure.own.map(item => escaped(item.name)), ...HOVER,
    marker: {size: view.dimensions === 3 ? 7 : 14, symbol: 'diamond', color: '#d55e00', line: {width: 1, color: ink()}}});
  const i = chosen && chosen.startsWith(figure.noun) ? row(chosen) : -1;
  const own = figure.own.find(item => item.name === chosen);
  const place = own ? at(own.at) : i >= 0 ? Object.fromEntries(dimensions().map(which => [which, [columns[axis(which).key].values[i]]])) : null;
  if (place) traces.push({type: kind(), mode: 'markers', ...place, name: 'chosen', showlegend: false, hoverinfo: 'skip',
    marker: {size: view.dimensions === 3 ? 12 : 20, symbol: 'circle-open', color: ink(), line: {width: 3, color: ink()}}});
  return traces;
};
const layout = () => {
  const grid = {gridcolor: 'rgba(128,128,128,.25)', zerolinecolor: 'rgba(128,128,128,.6)'}, small = box.clientWidth < PHONE;
  const made = which => ({...grid, title: {text: axis(which).title}});
  const deep = which => ({...made(which), gridcolor: '#999999', showspikes: false, tickfont: {size: 10}, title: {text: axis(which).title, font: {size: 12}}});
  const far = small ? 1.5 : 1.35, bar = small && columns[view.colour];
  return {
    height: small ? 470 : 560, margin: {l: small ? 42 : 55, r: 10, t: 10, b: bar ? 115 : 45}, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: {color: ink()},
    modebar: {bgcolor: 'rgba(0,0,0,0)', color: ink(), activecolor: '#3b82f6'},
    legend: {orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0}, hovermode: 'closest', dragmode: view.dimensions === 3 ? 'orbit' : 'pan',
    uirevision: `${figure.noun} ${view.dimensions} ${view.x} ${view.y} ${view.z}`,
    ...(view.dimensions === 3 ? {scene: {xaxis: deep('x'), yaxis: deep('y'), zaxis: deep('z'), camera: {eye: {x: far, y: far, z: 0.8 * far}, center: {x: 0, y: 0, z: -0.15}}}} : {xaxis: made('x'), yaxis: made('y'), annotations: annotations()}),
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
  count.textContent = `${shown} of ${figure.count} ${figure.noun.toLowerCase()}s shown` + (figure.own.length ? `, ${figure.own.length} of your shelf` : '')
    + (figure.kept < figure.count ? `; stars are the ${figure.count - figure.kept} new ones` : '')
    + (figure.leftOut.length ? `. No arrow for ${figure.leftOut.join(', ')}: ${MISSING}` : '');
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
  const n = parseInt(name.slice(figure.noun.length)) - 1, pair = figure.faces[n];
  const urls = point.data.meta === 'own' ? [figure.own[point.pointNumber].image] : await pictures((pair ?? [n]).filter(one => one >= 0));
  if (turn !== hovered) return;
  const words = document.createElement('p'), said = point.text ?? point.data.text?.[point.pointNumber] ?? name;
  words.innerHTML = said;  // escaped when the trace was made
  peek.replaceChildren(words, ...urls.filter(Boolean).map(url => Object.assign(new Image(), {src: url, alt: ''})));
  peek.hidden = false;
  const room = element.getBoundingClientRect(), mouse = pointer, across = mouse.clientX - room.x + 14, down = mouse.clientY - room.y + 18;
  peek.style.left = `${Math.max(0, Math.min(across, room.width - peek.offsetWidth))}px`;
  peek.style.top = `${mouse.clientY + 18 + peek.offsetHeight < window.innerHeight ? down : down - 36 - peek.offsetHeight}px`;
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
  whole.data.forEach(trace => { if (trace.hoverinfo === 'none') Object.assign(trace, {hoverinfo: 'text', hovertemplate: '%{text}<extra></extra>'}); });
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
