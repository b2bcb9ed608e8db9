// The map of faces: plotly draws props.value, a click on a point is sent to the page as {own, i}.
const box = element.querySelector('.plot');
const ink = () => getComputedStyle(box).color;
const trace = (points, own, data) => {
  const solid = data.dimensions === 3;
  const base = {
    x: points.map(p => p[0]), y: points.map(p => p[1]),
    mode: 'markers', name: own ? 'your shelf' : 'samples',
    text: points.map((_, i) => own ? data.titles[i] : 'sample ' + (i + 1)),
    hovertemplate: '%{text}<extra></extra>',
    customdata: points.map((_, i) => [own, i]),
    marker: own
      ? {size: solid ? 7 : 14, symbol: 'diamond', color: '#f97316', line: {width: 1, color: '#7c2d12'}}
      : {size: solid ? 3 : 6, color: points.map(p => p[2]), colorscale: 'Viridis', opacity: 0.75},
  };
  return solid ? {...base, type: 'scatter3d', z: points.map(p => p[2])} : {...base, type: 'scattergl'};
};
const draw = async () => {
  const data = props.value;
  if (!data || !data.points) { box.innerHTML = '<p class="empty">Press “Map the space” first.</p>'; return; }
  while (!window.Plotly) await new Promise(done => setTimeout(done, 50));
  box.querySelector('.empty')?.remove();
  const axis = i => ({title: {text: data.axes[i]}, gridcolor: 'rgba(128,128,128,.25)', zerolinecolor: 'rgba(128,128,128,.5)'});
  const layout = {
    height: 520, margin: {l: 50, r: 10, t: 10, b: 45}, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: {color: ink()}, legend: {orientation: 'h', y: 1.02, x: 0}, hovermode: 'closest', dragmode: data.dimensions === 3 ? 'orbit' : 'pan',
    xaxis: axis(0), yaxis: axis(1), scene: {xaxis: axis(0), yaxis: axis(1), zaxis: axis(2)},
  };
  const traces = [trace(data.points, false, data)];
  if (data.own.length) traces.push(trace(data.own, true, data));
  await Plotly.newPlot(box, traces, layout, {responsive: true, displaylogo: false, scrollZoom: true, modeBarButtonsToRemove: ['select2d', 'lasso2d']});
  box.on('plotly_click', event => {
    const [own, i] = event.points[0].customdata;
    trigger('pick', {own, i});
  });
};
watch('value', draw);
draw();
