// Everything one server said to one script, in the order in which the script asked.

import type { IncomingHttpHeaders } from "node:http";
import type { Ending } from "./grpc-call.js";
import {
  type MaskedObject,
  Masker,
  maskedGrpcHeaders,
  maskedHeaders,
  type Observed,
  type ObservedObject,
} from "./masks.js";

/** One exchange, stream or derived value; its name is the first step of every path in it. */
export interface Observation {
  readonly name: string;
  readonly value: MaskedObject;
}

/** A place for one exchange, taken when the script starts it and filled as it goes on. */
export interface Slot {
  set(field: string, value: Observed): void;
  /** Adds to a list. */
  push(field: string, value: Observed): void;
}

/** The observations of one run of one script against one server. */
export class Recorder {
  readonly #slots: { readonly name: string; readonly value: Record<string, Observed> }[] = [];

  /** Takes the next place. Without a name it is called after its number and what was done, such as `3 KV/Put`. */
  slot(what: string, name?: string): Slot {
    const unique = name ?? `${this.#slots.length + 1} ${what}`;
    if (this.#slots.some((slot) => slot.name === unique)) {
      throw new Error(`two exchanges of this script are called ${unique}`);
    }
    const value: Record<string, Observed> = {};
    this.#slots.push({ name: unique, value });
    return {
      set: (field, observed) => {
        value[field] = observed;
      },
      push: (field, observed) => {
        value[field] ??= [];
        (value[field] as Observed[]).push(observed);
      },
    };
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Everything, made comparable. */
  observations(endpoint: string): readonly Observation[] {
    const masker = new Masker(endpoint);
    return this.#slots.map(({ name, value }) => ({ name, value: masker.mask(value) as MaskedObject }));
  }
}

/** A slot that keeps nothing, for exchanges a script leaves out of the comparison. */
export const noSlot: Slot = { set: () => undefined, push: () => undefined };

/** The headers of a page that count, in alphabetical order (HTTP gives the order of different headers no meaning). */
export function comparableHeaders(headers: IncomingHttpHeaders): ObservedObject {
  return withoutMasked(headers, maskedHeaders);
}

/**
 * Takes down the headers and trailers of a gRPC answer. Over TLS a refusal's come apart at etcd and in one at Holdfast,
 * for the reason that masks.ts gives, so there only what they say together is compared.
 */
export function recordMetadata(slot: Slot, headers: IncomingHttpHeaders, ending: Ending, overTls: boolean): void {
  const { trailers, trailersOnly } = ending;
  if (overTls) {
    slot.set(
      "headers and trailers",
      withoutMasked(trailersOnly ? trailers : { ...headers, ...trailers }, maskedGrpcHeaders),
    );
    return;
  }
  slot.set("headers", trailersOnly ? "in the trailers" : withoutMasked(headers, maskedGrpcHeaders));
  slot.set("trailers", withoutMasked(trailers, maskedGrpcHeaders));
}

function withoutMasked(headers: IncomingHttpHeaders, masked: Readonly<Record<string, string>>): ObservedObject {
  const kept = Object.entries(headers).filter(([name]) => !(name in masked));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, String(value)]));
}
