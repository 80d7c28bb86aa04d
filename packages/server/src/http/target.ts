/** The path of a request: split from its query, cleaned and decoded as Go's `ServeMux` does, which etcd routes with. */

/** `path` without its query. */
export function withoutQuery(path: string): string {
  const mark = path.indexOf("?");
  return mark < 0 ? path : path.slice(0, mark);
}

/** Where a request for `path` is sent instead: the path without empty, "." and ".." parts; undefined if it has none. */
export function cleanTarget(path: string): string | undefined {
  const bare = withoutQuery(path);
  if (!/\/\/|\/\.\.?(?:\/|$)/.test(bare)) return undefined;
  const parts: string[] = [];
  for (const part of bare.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const end = bare.endsWith("/") && parts.length > 0 ? "/" : "";
  // Browsers take a backslash for a slash, and two slashes for the beginning of another host's name.
  const clean = `/${parts.join("/")}${end}`.replaceAll("\\", "%5C");
  return clean + path.slice(bare.length);
}

/** `path` with its percent escapes decoded; undefined if they are none. */
export function decodePath(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // Escapes that are well formed but no UTF-8 are a path that nobody serves.
    return /%(?![0-9A-Fa-f]{2})/.test(path) ? undefined : path;
  }
}
