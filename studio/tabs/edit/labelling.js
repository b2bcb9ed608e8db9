// Faces to answer yes or no about. props.value is {sheet, columns, faces: [numbers], answers: {number: 1 or -1}}; the answers go back with it.
const MARK = {'1': '✓', '-1': '✗'}, WORD = {'1': 'yes', '-1': 'no'};
const board = () => element.querySelector('.faces');
const tally = () => {
  const given = Object.values(props.value.answers);
  const yes = given.filter(answer => answer === 1).length;
  element.querySelector('.tally').textContent = `${yes} yes, ${given.length - yes} no`;
};
const dress = (tile, number) => {
  const answer = String(props.value.answers[number] || 0);
  tile.dataset.answer = answer;
  tile.setAttribute('aria-label', `Face ${number}: ${WORD[answer] || 'no answer'}`);
  tile.querySelector('b').textContent = MARK[answer] || '';
};
const answer = (tile, value) => {
  const answers = {...props.value.answers};
  if (value) answers[tile.dataset.number] = value; else delete answers[tile.dataset.number];
  props.value = {...props.value, answers};  // a new value: only that travels back
  dress(tile, tile.dataset.number);
  tally();
};
const draw = () => {
  const data = props.value;
  if (!data || !data.faces) return;
  const rows = Math.max(1, Math.ceil(data.faces.length / data.columns));
  board().replaceChildren(...data.faces.map((number, place) => {
    const tile = document.createElement('button');
    tile.type = 'button';
    tile.dataset.number = number;
    const x = place % data.columns, y = Math.floor(place / data.columns);
    tile.style.backgroundImage = `url(${data.sheet})`;
    tile.style.backgroundSize = `${100 * data.columns}% ${100 * rows}%`;
    tile.style.backgroundPosition = `${data.columns > 1 ? 100 * x / (data.columns - 1) : 0}% ${rows > 1 ? 100 * y / (rows - 1) : 0}%`;
    tile.append(document.createElement('b'));
    dress(tile, number);
    return tile;
  }));
  tally();
};
element.addEventListener('click', event => {
  const tile = event.target.closest('.faces button');
  if (tile) answer(tile, {0: 1, 1: -1, '-1': 0}[tile.dataset.answer]);
});
element.addEventListener('keydown', event => {
  const tile = event.target.closest('.faces button');
  if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
  const value = {y: 1, n: -1, Delete: 0, Backspace: 0}[event.key];
  const tiles = [...board().children], at = tiles.indexOf(tile);
  const wide = getComputedStyle(board()).gridTemplateColumns.split(' ').length;
  const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide}[event.key];
  if (value === undefined && step === undefined) return;
  event.preventDefault();
  if (value !== undefined) answer(tile, value);
  tiles[Math.max(0, Math.min(tiles.length - 1, at + (step ?? 1)))].focus();
});
watch('value', draw);
draw();
