// A canvas to paint on. props.background is the picture under it, props.value the painted layer as a PNG in a data URL, empty for nothing,
// props.shift where the layer lies, in shares of the side: what is painted on it there belongs to the layer all the same.
// The layer alone is sent, once, when the pen is lifted; Gradio's own editor sends background, layer and both
// together at every move of the pen.
const layer = element.querySelector('canvas'), under = element.querySelector('.under'), size = element.querySelector('input');
const pens = [...element.querySelectorAll('[data-pen]')], brush = layer.getContext('2d', {willReadFrequently: true});
const dot = element.querySelector('.dot'), steps = [];
let pen = pens[0]?.dataset.pen, known = null, last = null, held = null, shift = [0, 0];

const choose = button => {
  pen = button.dataset.pen;
  pens.forEach(one => one.setAttribute('aria-pressed', one === button));
  layer.style.cursor = pen === 'move' ? 'move' : '';
};
const place = () => { layer.style.transform = shift.some(Boolean) ? `translate(${100 * shift[0]}%, ${100 * shift[1]}%)` : ''; };
const drag = event => {
  const box = layer.getBoundingClientRect(), to = [event.clientX, event.clientY];
  shift = held.shift.map((share, axis) => Math.max(-.5, Math.min(.5, share + (to[axis] - held.from[axis]) / box.width)));
  place();
};
const image = async url => {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return picture;
};
const wipe = () => brush.clearRect(0, 0, layer.width, layer.height);
const show = async url => {
  known = url;
  const picture = url ? await image(url) : null;
  if (known !== url) return;  // something newer was hung meanwhile
  wipe();
  if (picture) {
    brush.globalCompositeOperation = 'source-over';
    brush.drawImage(picture, 0, 0, layer.width, layer.height);
  }
};
const painted = () => brush.getImageData(0, 0, layer.width, layer.height).data.some((value, i) => i % 4 === 3 && value);
const send = () => {
  known = painted() ? layer.toDataURL('image/png') : '';
  props.value = known;
  trigger('input');
};
const at = event => {
  const box = layer.getBoundingClientRect();
  return [(event.clientX - box.x) / box.width * layer.width, (event.clientY - box.y) / box.height * layer.height];
};
const line = (from, to) => {
  brush.globalCompositeOperation = pen === 'eraser' ? 'destination-out' : 'source-over';
  brush.strokeStyle = pen === 'eraser' ? '#000' : pen;
  brush.lineWidth = size.valueAsNumber;
  brush.lineCap = brush.lineJoin = 'round';
  brush.beginPath();
  brush.moveTo(...from);
  brush.lineTo(...to);
  brush.stroke();
};
const ring = event => {
  const box = layer.getBoundingClientRect(), wide = size.valueAsNumber * box.width / layer.width;
  dot.hidden = false;
  Object.assign(dot.style, {width: `${wide}px`, height: `${wide}px`, left: `${event.clientX - box.x - wide / 2}px`, top: `${event.clientY - box.y - wide / 2}px`});
};
const lift = () => {
  if (held) {
    held = null;
    props.shift = shift;
    trigger('drag', {x: shift[0], y: shift[1]});
  }
  if (!last) return;
  last = null;
  send();
};
layer.addEventListener('pointerdown', event => {
  if (event.button || last || held) return;
  layer.setPointerCapture(event.pointerId);
  if (pen === 'move') {
    held = {from: [event.clientX, event.clientY], shift};
    return;
  }
  steps.push(known ?? '');
  if (steps.length > 30) steps.shift();
  last = at(event);
  line(last, last);
});
layer.addEventListener('pointermove', event => {
  if (held) drag(event);
  if (pen !== 'move') ring(event);
  if (!last) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  for (const move of moves.length ? moves : [event]) { const next = at(move); line(last, next); last = next; }
});
layer.addEventListener('pointerup', lift);
layer.addEventListener('pointercancel', lift);
layer.addEventListener('pointerleave', () => { dot.hidden = true; });
element.querySelector('.pens').addEventListener('click', async event => {
  const button = event.target.closest('button');
  if (button?.dataset.pen) return choose(button);
  if (button?.dataset.act === 'undo' && steps.length) await show(steps.pop());
  else if (button?.dataset.act === 'clear' && painted()) { steps.push(known ?? ''); wipe(); }
  else return;
  send();
});
const hang = () => { under.hidden = !props.background; if (props.background) under.src = props.background; };
const take = () => {
  if (props.value === known) return;  // what was just sent
  steps.length = 0;
  show(props.value);
};
const shifted = () => {
  shift = props.shift ?? [0, 0];
  place();
};
watch('background', hang);
watch('shift', shifted);
watch('value', take);
hang();
take();
shifted();
if (pens.length) choose(pens[0]);
// the page listens for 'input'
