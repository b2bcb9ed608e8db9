// What stands before the page's configuration where the browser reads it; hands it on.
//
// The list of events is kept as it came: Gradio's page makes plain arrays reactive, and then reads this one, which never changes, millions
// of times through the wrapper while it opens. An array of another class is left alone.
//
// And for each component, from the layout's root downwards, Gradio asks all events whether it is among their targets, reading the
// component through the wrapper at every target. Here the component whose turn it is is guessed and asked about once; only where the guess
// is wrong, all are asked. Events that follow others have no target: looking for it would take a walk through the whole tree.
(config => {
  const ABOUT_TARGETS = /^(\w+)=>\1\.targets\.find\(/;
  const inOrder = ({id, children = []}) => [id, ...children.flatMap(inOrder)];
  const turns = new WeakMap();
  const guesser = events => {
    const order = inOrder(config.layout), of = new Map(order.map(id => [id, []]));
    let next = 0;
    for (const event of events) for (const id of new Set(event.targets.map(([target]) => target))) of.get(id)?.push(event);
    return isIt => {
      const at = [next, 0].find(place => isIt(order[place]));
      next = ((at ?? -1) + 1) % order.length;
      return at === undefined ? undefined : of.get(order[at]);
    };
  };
  class Events extends Array {  // and so are the copies that Gradio makes of it
    filter(asked, ...rest) {
      if (!ABOUT_TARGETS.test(asked)) return super.filter(asked, ...rest);
      if (!turns.has(this)) turns.set(this, guesser(this));
      return turns.get(this)(id => asked({targets: [[id]]})) ?? super.filter(asked, ...rest);
    }
  }
  const listen = window.addEventListener;
  window.addEventListener = function (kind, heard, ...rest) {
    const ends = kind === 'beforeunload' && /\.close\(\)/.test(heard);
    return listen.call(this, ends ? 'pagehide' : kind, heard, ...rest);
  };
  if (!Array.isArray(config?.dependencies)) return config;
  for (const event of config.dependencies) event.targets = event.targets.filter(([id]) => id !== null);
  Object.setPrototypeOf(config.dependencies, Events.prototype);
  return config;
})
