// Pictures whose name or browser says nothing of their kind are told by their first bytes before Gradio looks at them.
//
// Gradio's page takes what the browser calls an image. A file without a suffix has no kind there, nor have JPEG 2000 and HEIC in most
// browsers. What is a picture is handed on with its kind; what is none is left as it came, for Gradio to refuse by its name.
(() => {
  const text = (bytes, from, to) => String.fromCharCode(...bytes.slice(from, to));
  const kindOf = bytes => {
    const brand = text(bytes, 4, 8) === 'ftyp' ? text(bytes, 8, 12) : '';
    if (text(bytes, 0, 3) === '\xff\xd8\xff') return 'jpeg';
    if (text(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
    if (text(bytes, 0, 4) === 'GIF8') return 'gif';
    if (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === 'WEBP') return 'webp';
    if (['II*\0', 'MM\0*'].includes(text(bytes, 0, 4))) return 'tiff';
    if (text(bytes, 0, 2) === 'BM') return 'bmp';
    if (text(bytes, 4, 8) === 'jP  ' || text(bytes, 0, 4) === '\xff\x4f\xff\x51') return 'jp2';
    if (['avif', 'avis'].includes(brand)) return 'avif';
    return /^(hei|hev|mif1|msf1)/.test(brand) ? 'heic' : '';
  };
  const told = async file => {
    const kind = kindOf(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
    if (!kind) return file;
    const name = /\.[a-z0-9]{2,5}$/i.test(file.name) ? file.name : `${file.name}.${kind}`;
    return new File([file], name, {type: `image/${kind}`, lastModified: file.lastModified});
  };
  const unknown = files => [...files].some(file => !file.type.startsWith('image/'));
  const again = async files => {
    const carrier = new DataTransfer();
    for (const file of await Promise.all([...files].map(told))) carrier.items.add(file);
    return carrier;
  };
  const seen = new WeakSet();  // events of our own
  const hold = event => { event.preventDefault(); event.stopImmediatePropagation(); };
  document.addEventListener('change', async event => {
    const input = event.target;
    if (seen.has(event) || input.type !== 'file' || !input.accept?.includes('image') || !unknown(input.files)) return;
    hold(event);
    input.files = (await again(input.files)).files;
    const change = new Event('change', {bubbles: true});
    seen.add(change);
    input.dispatchEvent(change);
  }, true);
  document.addEventListener('drop', async event => {
    const files = event.dataTransfer?.files;
    if (seen.has(event) || !files?.length || !unknown(files)) return;
    hold(event);
    const target = event.target, drop = new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: await again(files)});
    seen.add(drop);
    target.dispatchEvent(drop);
  }, true);
})();
