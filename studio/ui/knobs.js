// A form of knobs. PANELS holds each method's knobs as they are declared, props.chosen says whose are shown, props.given the values of
// those that stand elsewhere on the page; props.value is {method: {knob: value}} and holds what differs from the declarations.
const form = element.querySelector('.knob-form');
const make = (tag, attributes = {}, ...inside) => {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...inside);
  return made;
};
const settings = () => ({...Object.fromEntries(panel().map(knob => [knob.name, knob.value])), ...props.value?.[props.chosen], ...props.given});
const panel = () => PANELS[props.chosen] ?? [];
const place = knob => [PREFIX, ...(Object.keys(PANELS).length > 1 ? [props.chosen] : []), knob.name].join('-');
let known = JSON.stringify(props.value);
const take = value => { known = JSON.stringify(value); props.value = value; };  // a new value: only that travels back
const keep = (knob, value) => {
  const own = {...props.value?.[props.chosen]};
  if (value === knob.value) delete own[knob.name]; else own[knob.name] = value;
  take({...props.value, [props.chosen]: own});
  follow();
};
const counts = (knob, now) => {
  if (!knob.only_if.length) return true;
  const [other, ...values] = knob.only_if;
  return values.length ? values.includes(now[other]) : Boolean(now[other]);
};
const follow = () => {
  const now = settings();
  for (const knob of panel()) form.querySelector(`[data-knob="${knob.name}"]`).hidden = !counts(knob, now);
  form.querySelector('.reset').hidden = !Object.keys(props.value?.[props.chosen] ?? {}).length;
};
const numbers = (knob, id, value, save) => {
  const box = make('input', {type: 'number', id, min: knob.lo, max: knob.hi, step: knob.log ? 'any' : knob.step, value});
  const between = () => {  // a number outside comes back to the nearest end
    if (box.value === '' || !Number.isFinite(box.valueAsNumber)) box.value = settings()[knob.name];
    let wanted = Math.min(knob.hi, Math.max(knob.lo, box.valueAsNumber));
    if (knob.whole) wanted = Math.round(wanted);
    box.value = wanted;
    if (slider) slider.value = wanted;
    save(wanted);
  };
  const slider = knob.log ? null : make('input', {type: 'range', min: knob.lo, max: knob.hi, step: knob.step, value});
  box.addEventListener('change', between);
  box.addEventListener('keydown', event => { if (event.key === 'Enter') between(); });
  if (slider) {
    slider.setAttribute('aria-label', knob.label);
    slider.addEventListener('input', () => { box.value = slider.value; save(slider.valueAsNumber); });
  }
  return [make('span', {className: 'head'}, make('label', {htmlFor: id}, knob.label), box), ...(slider ? [slider] : [])];
};
const control = (knob, value) => {
  const id = `${place(knob)}-input`, save = value => keep(knob, value);
  if (knob.choices.length) {
    const menu = make('select', {id}, ...knob.choices.map(choice => new Option(choice, choice, false, choice === value)));
    menu.addEventListener('change', () => save(menu.value));
    return [make('span', {className: 'head'}, make('label', {htmlFor: id}, knob.label), menu)];
  }
  if (typeof knob.value === 'boolean') {
    const box = make('input', {type: 'checkbox', id, checked: value, disabled: knob.locked});
    box.addEventListener('change', () => save(box.checked));
    return [make('label', {htmlFor: id, className: 'head'}, box, knob.label)];
  }
  return numbers(knob, id, value, save);
};
const draw = () => {
  const now = settings();
  const dressed = knob => {
    const made = make('div', {className: 'knob', id: place(knob)}, ...control(knob, now[knob.name]));
    made.dataset.knob = knob.name;
    made.append(make('p', {className: 'info'}, knob.help));
    return made;
  };
  const plain = panel().filter(knob => !knob.advanced), others = panel().filter(knob => knob.advanced);
  const reset = make('button', {type: 'button', className: 'reset'}, 'Defaults');
  reset.addEventListener('click', () => { take({...props.value, [props.chosen]: {}}); draw(); });
  const more = make('details', {className: 'more', open: form.querySelector('.more')?.open ?? false}, make('summary', {}, 'Advanced knobs'));
  more.append(make('div', {className: 'knobs'}, ...others.map(dressed)));
  form.replaceChildren(make('div', {className: 'knobs'}, ...plain.map(dressed)), ...(others.length ? [more] : []), reset);
  follow();
};
watch('chosen', draw);
watch('given', follow);
watch('value', () => {  // set by the page, and by no hand on this form
  if (JSON.stringify(props.value) === known) return;
  known = JSON.stringify(props.value);
  draw();
});
draw();
