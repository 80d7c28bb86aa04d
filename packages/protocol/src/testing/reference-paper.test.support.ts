/**
 * Reads tables out of docs/reference/etcd-v3-wire.md. For tests.
 */

import { readFileSync } from "node:fs";

export function readReference(): string {
  return readFileSync(new URL("../../../../docs/reference/etcd-v3-wire.md", import.meta.url), "utf8");
}

/** The text between two headings. Throws when one of them is missing: the paper has changed its shape. */
export function section(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  if (start < 0 || end < 0) throw new Error(`no section from ${from} to ${to}`);
  return text.slice(start, end);
}

/** The cells of all table rows in `text`, headings and rulers left out. */
export function tableRows(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  return lines
    .filter((line, index) => !line.startsWith("|---") && !(lines[index + 1] ?? "").startsWith("|---"))
    .map((line) => line.slice(1, line.lastIndexOf("|")).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
}
