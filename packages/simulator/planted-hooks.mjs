// The module hook behind `planted-loader.mjs`: changes the text of one module, or fails loudly.

let planted;

export function initialize(data) {
  planted = data;
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (url !== planted.url) return loaded;
  const source = String(loaded.source);
  if (source.split(planted.find).length !== 2)
    throw new Error(`the planted bug ${planted.name} has no place in ${url}`);
  return { ...loaded, source: source.replace(planted.find, () => planted.replace) };
}
