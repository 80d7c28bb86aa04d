// The program curl: one call, or a call whose answer is read line by line while it goes on.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Longer than anything the gateway may take; then curl ends by itself. */
const callSecondsMax = 15;

/** Base64, as the gateway has every key and value. */
export const b64 = (text) => Buffer.from(text).toString("base64");
export const fromB64 = (text) => Buffer.from(text ?? "", "base64").toString();

/** Where to call unless a call says otherwise. */
export const plainUrl = `http://${process.env.HOLDFAST_ENDPOINT}`;

/**
 * How a call differs from a POST over HTTP/1.1 to the plain server.
 * @typedef {{url?: string, method?: string, token?: string, args?: readonly string[], version?: string}} CallOptions
 */

/** curl's arguments; a body that is not a string is sent as JSON, undefined sends none. */
function argumentsFor(path, body, { url = plainUrl, method, token, args = [], version = "--http1.1" }) {
  const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  return [
    ["--silent", "--show-error", "--no-buffer", version, "--max-time", String(callSecondsMax)],
    text === undefined ? [] : ["--data-binary", "@-"],
    method === undefined ? [] : ["--request", method],
    token === undefined ? [] : ["--header", `Authorization: ${token}`],
    args,
    [`${url}${path}`],
    text ?? "",
  ];
}

function start(path, body, options, more = []) {
  const parts = argumentsFor(path, body, options);
  const text = parts.pop();
  // Bodies go by standard input: a large one is no argument.
  const child = spawn("curl", [...more, ...parts.flat()], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  child.stdin.end(text);
  return child;
}

/** curl could not complete a call; `exitCode` is one of those that its manual lists. */
export class CurlError extends Error {
  constructor(path, exitCode, words) {
    super(`curl ${path} ended with ${exitCode}: ${words}`);
    this.exitCode = exitCode;
  }
}

/** What curl prints for a call, with further arguments. Throws `CurlError`. */
export async function output(path, body, options, more) {
  const child = start(path, body, options, more);
  const [text, words, [code, signal]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, "close"),
  ]);
  if (code !== 0) {
    throw new CurlError(path, code ?? signal, words.trim());
  }
  return text;
}

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * One call: `{status, version, headers, text, json}` of the answer, where `headers` has lower-case names and `json` is
 * undefined for a text that is none. Throws `CurlError` when there is no answer.
 *
 * @param {CallOptions} [options]
 */
export async function call(path, body, options = {}) {
  let rest = await output(path, body, options, ["--include"]);
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    const head = readHead(rest.slice(0, end));
    rest = rest.slice(end + 4);
    // A head of 100 (continue) comes before the one of the answer.
    if (head.status !== 100) {
      return { ...head, text: rest, json: parse(rest) };
    }
  }
}

function readHead(text) {
  const [first, ...lines] = text.split("\r\n");
  const [version, status] = first.split(" ");
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { version, status: Number(status), headers };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A call that must be answered with 200; returns the answer's JSON. */
export async function ask(path, body, options) {
  const { status, text, json } = await call(path, body, options);
  if (status !== 200 || json === undefined) {
    throw new Error(`${path}: status ${status}: ${text.slice(0, 300)}`);
  }
  return json;
}

/** A call that goes on: `next()` is the JSON of the next line, `end()` kills curl. */
export function stream(path, body, options = {}) {
  const child = start(path, body, options);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors = textOf(child.stderr);
  return {
    async next() {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) {
          throw new Error(`${path}: the answer ended; ${(await errors).trim()}`);
        }
        if (value !== "") {
          return JSON.parse(value);
        }
      }
    },
    end: () => child.kill(),
  };
}
