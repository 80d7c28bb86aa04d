// What may differ between two servers that behave the same, each with its reason, and how it is made comparable.
//
// A placeholder stands for an identity: the first that appears is 1, the next different one 2, so who equals whom is
// still compared. Nothing else is ever hidden: a difference that is not in this table is a bug or a row in
// docs/divergence.md.

import type { Type } from "protobufjs";
import type { Message, Value } from "./wire.js";

/** One kind of thing that two servers choose for themselves. */
export interface Mask {
  /** `Message.field`, as in the .proto files. */
  readonly fields: readonly string[];
  /**
   * `identity`: replaced by a placeholder, unless 0. `term`: the same, for small numbers. `lease`: the same, for ids the
   * server chose (scripts choose small ones). `presence`: only whether it is set is compared. `roughly`: may be off by
   * one. `unordered`: the items count, not their order.
   */
  readonly how: "identity" | "term" | "lease" | "presence" | "roughly" | "unordered";
  readonly reason: string;
}

export const masks: readonly Mask[] = [
  {
    fields: ["ResponseHeader.cluster_id", "ResponseHeader.member_id", "StatusResponse.leader", "Member.ID"],
    how: "identity",
    reason: "ids that each cluster and member draws for itself",
  },
  { fields: ["AlarmMember.memberID"], how: "identity", reason: "an id that each member draws for itself" },
  {
    fields: ["ResponseHeader.raft_term", "StatusResponse.raftTerm"],
    how: "term",
    reason: "counts elections; only that it changes or stays is the contract (GEN-11)",
  },
  {
    fields: ["LeaseGrantResponse.ID", "LeaseKeepAliveResponse.ID", "LeaseTimeToLiveResponse.ID", "LeaseStatus.ID"],
    how: "lease",
    reason: "a lease id that the server drew",
  },
  { fields: ["KeyValue.lease", "LeaderKey.lease"], how: "lease", reason: "a lease id that the server drew" },
  {
    fields: ["LeaseTimeToLiveResponse.TTL"],
    how: "roughly",
    reason: "seconds left, rounded: the two servers are not asked in the same instant",
  },
  {
    fields: ["StatusResponse.raftIndex", "StatusResponse.raftAppliedIndex"],
    how: "presence",
    reason: "counts entries of the log, among them each server's own",
  },
  {
    fields: ["StatusResponse.dbSize", "StatusResponse.dbSizeInUse"],
    how: "presence",
    reason: "bytes of each server's own storage format",
  },
  {
    fields: ["SnapshotResponse.blob", "SnapshotResponse.remaining_bytes"],
    how: "presence",
    reason: "each server's own storage format",
  },
  {
    fields: ["LeaseTimeToLiveResponse.keys"],
    how: "unordered",
    reason: "etcd lists the keys of a lease in random order",
  },
  { fields: ["AuthenticateResponse.token"], how: "presence", reason: "random" },
];

const overTls = "over TLS, etcd answers gRPC through Go's HTTP server, which adds what it adds to every page";
const addedOverTls = [
  "trailer",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
] as const;

/** Headers and trailers of pages that are not compared. */
export const maskedHeaders: Readonly<Record<string, string>> = {
  date: "the time of day",
  ...Object.fromEntries(addedOverTls.map((name) => [`grpc-metadata-${name}`, overTls])),
};

/** Headers and trailers of gRPC that are not compared. */
export const maskedGrpcHeaders: Readonly<Record<string, string>> = {
  ...maskedHeaders,
  ...Object.fromEntries(addedOverTls.map((name) => [name, overTls])),
};

/** A number that may differ by one. */
export class Roughly {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** Whether the other is the same but for one. */
  equals(other: unknown): boolean {
    return other instanceof Roughly && Math.abs(this.value - other.value) <= 1;
  }
}

/** An observed value after masking. */
export type Masked = string | number | boolean | null | undefined | Roughly | MaskedObject | readonly Masked[];
export interface MaskedObject {
  readonly [field: string]: Masked;
}

/** A message whose type is known, so that its fields can be masked. */
export class TypedMessage {
  readonly type: Type;
  readonly message: Message;

  constructor(type: Type, message: Message) {
    this.type = type;
    this.message = message;
  }
}

/** Text in JSON, in which fields are known by their names only. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a run records, before masking. */
export type Observed = Value | undefined | TypedMessage | JsonText | ObservedObject | readonly Observed[];
export interface ObservedObject {
  readonly [field: string]: Observed;
}

const maskOfField = new Map(masks.flatMap((mask) => mask.fields.map((field) => [field, mask] as const)));

/** Lease ids below this one were chosen by scripts. */
const chosenLeaseMax = 2 ** 31;
/** The hexadecimal lease id at the end of the keys that locks and elections make. */
const leaseKey = /(?<=\/)[0-9a-f]{11,16}$/;

/** A whole field of JSON text: `"name":"value"`, or a bare number. */
const jsonField = /"(\w+)":("(?:[^"\\]|\\.)*"|-?\d+)/g;

/** A string of JSON, or the space behind a comma that Go's encoder adds in some builds and not in others. */
const stringOrSpace = /"(?:[^"\\]|\\.)*"|, /g;

const jsonMasks = new Map([...maskOfField].map(([field, mask]) => [field.slice(field.indexOf(".") + 1), mask]));

/** Masks everything one server said in one run; the order of calls decides which placeholder is which. */
export class Masker {
  readonly #endpoint: string;
  readonly #ids = new Map<string, string>();
  readonly #terms = new Map<string, string>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  mask(observed: Observed): Masked {
    if (observed instanceof TypedMessage) {
      return this.#message(observed.type, observed.message);
    }
    if (observed instanceof JsonText) {
      return this.#text(
        compact(observed.text).replace(jsonField, (_all, name: string, value: string) => this.#json(name, value)),
      );
    }
    if (typeof observed === "string") {
      return this.#text(observed);
    }
    if (Array.isArray(observed)) {
      return observed.map((item: Observed) => this.mask(item));
    }
    if (typeof observed === "object" && observed !== null) {
      return Object.fromEntries(Object.entries(observed).map(([name, value]) => [name, this.mask(value as Observed)]));
    }
    return observed as Masked;
  }

  #message(type: Type, message: Message): Masked {
    const masked = Object.entries(message).map(([name, value]) => {
      const mask = maskOfField.get(`${type.name}.${name}`);
      return [name, mask === undefined ? this.#field(type, name, value) : this.#apply(mask, value)];
    });
    return Object.fromEntries(masked);
  }

  #field(type: Type, name: string, value: Value): Masked {
    const nested = type.fields[name]?.resolvedType;
    if (nested === null || nested === undefined || !("fields" in nested) || value === null) {
      return this.mask(value);
    }
    return Array.isArray(value)
      ? value.map((item: Value) => this.#message(nested, item as Message))
      : this.#message(nested, value as Message);
  }

  #apply({ how }: Mask, value: Value): Masked {
    const number = Number(value);
    switch (how) {
      case "identity":
        return number === 0 ? value : this.#placeholder(this.#ids, String(value), "id");
      case "term":
        return number === 0 ? value : this.#placeholder(this.#terms, String(value), "term");
      case "lease":
        return number < chosenLeaseMax ? value : this.#placeholder(this.#ids, String(value), "id");
      case "presence":
        return number === 0 || value === "" ? value : "(set)";
      case "roughly":
        return new Roughly(number);
      case "unordered":
        return [...(value as readonly string[])].sort().map((item) => this.mask(item));
    }
  }

  #json(name: string, value: string): string {
    const mask = jsonMasks.get(name);
    const bare = value.replaceAll('"', "");
    if (mask === undefined) {
      return `"${name}":${value}`;
    }
    // Text cannot be compared roughly; a JSON body with a remaining TTL is compared by its presence.
    const masked = mask.how === "roughly" ? "(set)" : this.#apply(mask, bare);
    return masked === bare ? `"${name}":${value}` : `"${name}":"${String(masked)}"`;
  }

  #text(text: string): string {
    const local = text.replaceAll(this.#endpoint, "(endpoint)");
    return local.replace(leaseKey, (hex) => this.#placeholder(this.#ids, BigInt(`0x${hex}`).toString(), "id"));
  }

  #placeholder(known: Map<string, string>, value: string, kind: string): string {
    const placeholder = known.get(value) ?? `(${kind} ${known.size + 1})`;
    known.set(value, placeholder);
    return placeholder;
  }
}

/**
 * JSON without the spaces that mean nothing, and with a plain one in the errors of Go's parser, of which some builds use
 * another; other text as it is.
 */
function compact(text: string): string {
  if (!text.startsWith("{")) {
    return text;
  }
  return text.replace(stringOrSpace, (found) => (found === ", " ? "," : found)).replaceAll("proto:\u00a0", "proto: ");
}
