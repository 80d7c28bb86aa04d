/** A history as text: for files that people read, and for comparing two runs byte for byte. */
import { createHash } from "node:crypto";
import type { History } from "../history/history.js";

/** One JSON document. Numbers of 64 bits are text with an `n`, bytes are hex. */
export function historyText(history: History): string {
  return JSON.stringify(history, plain, 1);
}

/** 32 hex digits. */
export function historyDigest(history: History): string {
  return createHash("sha256").update(JSON.stringify(history, plain)).digest("hex").slice(0, 32);
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  // `Buffer` turns itself into this before it gets here.
  if (isBufferJson(value)) return Buffer.from(value.data).toString("hex");
  return value;
}

function isBufferJson(value: unknown): value is { readonly data: number[] } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
}
