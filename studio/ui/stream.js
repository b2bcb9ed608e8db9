// Answers to a page's events come as one stream that never ends for the page; underneath, connections come and go.
//
// Gradio's server ends a connection once nothing is owed on it. An event that joins at that moment is promised its answer on a
// connection that the page still takes for open: the answer waits at the server, and the page waits for the answer, until something else
// happens. Here a connection that ends while an answer is owed is followed by another one, and so is one that an event finds gone.
(() => {
  const plain = window.fetch, encoder = new TextEncoder();
  const owed = new Set(), early = new Set();  // events without their answer; answers that came before the word that their event has joined
  let page = null;  // the page's end of the stream: where its messages go, and how to ask for more
  let live = false;

  const joined = id => early.delete(id) || owed.add(id);
  const answered = id => owed.delete(id) || early.add(id);
  const read = text => {
    const message = JSON.parse(text.replace(/^data: /, ''));
    if (message.msg === 'process_completed') answered(message.event_id);
    if (message.msg === 'unexpected_error' && !message.event_id) owed.clear();
    return message.msg !== 'close_stream';
  };
  const drain = async (response, out) => {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '', heard = 0;
    for (;;) {
      const {value, done} = await reader.read();
      if (done) return heard;
      const messages = (rest + value).split('\n\n');
      rest = messages.pop();
      heard += messages.length;
      for (const text of messages) if (read(text)) out.enqueue(encoder.encode(text + '\n\n'));
    }
  };
  const follow = async (first, mine) => {
    const again = () => plain(mine.url, {headers: mine.headers, signal: mine.signal});
    live = true;
    try {
      let response = first ?? await again();
      while (await drain(response, mine.out) && owed.size) response = await again();
    } catch (error) {
      if (page === mine) page = null;
      mine.out.error(error);
    }
    live = false;
  };
  const stream = async request => {
    const response = await plain(request);
    if (!response.ok) return response;
    const body = new ReadableStream({
      start: out => { page = {out, url: request.url, headers: request.headers, signal: request.signal}; },
      cancel: () => { page = null; },
    });
    follow(response, page);
    return new Response(body, response);
  };
  const join = async (...request) => {
    const response = await plain(...request);
    if (!response.ok) return response;
    joined((await response.clone().json()).event_id);
    if (page && !live) follow(null, page);
    return response;
  };
  window.fetch = (...request) => {
    const path = new URL(request[0].url ?? request[0], location.href).pathname;
    if (path.endsWith('/queue/data')) return stream(new Request(...request));
    return path.endsWith('/queue/join') ? join(...request) : plain(...request);
  };
})();
