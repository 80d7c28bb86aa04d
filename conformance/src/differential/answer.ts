// What a script gets back from a call, and how it states what the rule demands of it.

import { isDeepStrictEqual } from "node:util";
import type { Message, Value } from "./wire.js";

/** What a value must look like: objects need only the named fields, lists every item, texts may be patterns. */
export type Expected = string | number | boolean | null | RegExp | Expectation | readonly Expected[];
export interface Expectation {
  readonly [field: string]: Expected;
}

/** Something a script demanded did not hold. */
export class RuleBroken extends Error {}

/** Records that a script demanded something; throws `RuleBroken` when it must hold and does not. */
export type Demand = (holds: boolean, complaint: () => string) => void;

/** Whether the value looks as expected. */
export function matches(actual: unknown, expected: Expected): boolean {
  if (expected instanceof RegExp) {
    return typeof actual === "string" && expected.test(actual);
  }
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item: Expected, index) => matches(actual[index], item))
    );
  }
  if (typeof expected === "object" && expected !== null) {
    const fields = actual as Readonly<Record<string, unknown>>;
    return (
      typeof actual === "object" &&
      actual !== null &&
      Object.entries(expected).every(([name, item]) => matches(fields[name], item as Expected))
    );
  }
  return isDeepStrictEqual(actual, expected);
}

/** One message of the server. */
export class Reply {
  readonly #message: Message;
  protected readonly demand: Demand;

  constructor(message: Message, demand: Demand) {
    this.#message = message;
    this.demand = demand;
  }

  /** The message; an `Answer` throws here when there is none. */
  get message(): Message {
    return this.#message;
  }

  /** `header.revision` */
  get revision(): number {
    return this.number("header.revision");
  }

  /** The value at a path such as `kvs.0.lease`; throws when the message has nothing there. */
  at(path: string): Value {
    let value: Value | undefined = this.message;
    for (const step of path.split(".")) {
      value = typeof value === "object" && value !== null ? (value as Message)[step] : undefined;
    }
    if (value === undefined) {
      throw new Error(`there is no ${path} in ${brief(this.message)}`);
    }
    return value;
  }

  /** The number at a path. */
  number(path: string): number {
    return Number(this.at(path));
  }

  /** The text (or the bytes, one character each; or the decimal text of an integer) at a path. */
  text(path: string): string {
    return String(this.at(path));
  }

  /** Demands that the message has these fields with these values; it may have more. */
  shows(expected: Expectation): this {
    this.demand(matches(this.message, expected), () => `expected ${brief(expected)}, got ${brief(this.message)}`);
    return this;
  }
}

/** The end of a unary call: a message, or a refusal. */
export class Answer extends Reply {
  /** `OK`, or the name of the gRPC status; see `Ending` for calls that ended without one. */
  readonly status: string;
  /** The text of a refusal. */
  readonly details: string;
  readonly #present: boolean;

  constructor(status: string, details: string, message: Message | undefined, demand: Demand) {
    super(message ?? {}, demand);
    this.status = status;
    this.details = details;
    this.#present = message !== undefined;
  }

  override get message(): Message {
    if (!this.#present) {
      throw new Error(`the call was refused: ${this.status} ${this.details}`);
    }
    return super.message;
  }

  override shows(expected: Expectation): this {
    const got = (): string => (this.#present ? brief(super.message) : `${this.status} ${this.details}`);
    const holds = this.#present && matches(super.message, expected);
    this.demand(holds, () => `expected ${brief(expected)}, got ${got()}`);
    return this;
  }

  /** Demands success, whatever the message says. */
  succeeds(): this {
    return this.shows({});
  }

  /** Demands that the call failed with exactly this status and text. */
  refused(status: string, details: string | RegExp): this {
    const got = this.#present ? brief(super.message) : `${this.status} ${this.details}`;
    const holds = this.status === status && matches(this.details, details);
    this.demand(holds, () => `expected ${status} ${String(details)}, got ${got}`);
    return this;
  }
}

const briefCharsMax = 600;

/** A value as one short line for a person. */
export function brief(value: unknown): string {
  const text = printable(value);
  return text.length > briefCharsMax ? `${text.slice(0, briefCharsMax)}… (${text.length} characters)` : text;
}

/** A value as JSON whose every character can be seen; patterns as they are written. */
export function printable(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) => (item instanceof RegExp ? String(item) : item));
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text?.replace(/[\x7f-\xff]/g, escaped) ?? "nothing";
}
