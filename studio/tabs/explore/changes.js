// A frame is one point on both maps: resting on either, or tapping it, shows its picture beside both.
const near = target => {
  const name = target.closest?.('[data-mark]')?.dataset.mark;
  for (const mark of element.querySelectorAll('circle.near')) mark.classList.remove('near');
  const marks = name ? [...element.querySelectorAll(`[data-mark="${name}"]`)] : [];
  const picture = marks.find(mark => mark.dataset.picture)?.dataset.picture;
  for (const shown of element.querySelectorAll('.frame')) {
    const mark = marks.find(one => one.ownerSVGElement === shown.ownerSVGElement);
    shown.setAttribute('visibility', mark && picture ? 'visible' : 'hidden');
    if (!mark || !picture) continue;
    const box = shown.ownerSVGElement.viewBox.baseVal, side = Number(shown.getAttribute('width')), x = Number(mark.getAttribute('cx')), y = Number(mark.getAttribute('cy'));
    mark.classList.add('near');
    shown.setAttribute('href', picture);
    shown.setAttribute('x', x + 12 + side > box.x + box.width ? x - 12 - side : x + 12);
    shown.setAttribute('y', Math.min(Math.max(y - side / 2, box.y), box.y + box.height - side));
  }
};
for (const name of ['pointerover', 'click']) element.addEventListener(name, event => near(event.target));
element.addEventListener('pointerleave', () => near(element));
