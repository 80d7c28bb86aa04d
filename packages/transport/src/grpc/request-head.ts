/**
 * What the header list of a request asks for, judged in grpc-go's order: a call of a method, a refusal that needs no
 * stream, or a request that is not gRPC at all. Read once per distinct header list.
 */
import type { HeaderFields } from "../hpack/index.js";
import type { RequestHeaders } from "../http2/header-rules.js";
import { ACCEPTED_ENCODINGS, GZIP, IDENTITY, unknownEncoding } from "./compression.js";
import { HeaderMetadata, isBinaryName, isBinaryValue } from "./metadata.js";
import type { CountedMethod } from "./method-counters.js";
import type { Router } from "./router.js";
import { CONTENT_TYPE, DEADLINE_EXCEEDED, INTERNAL, trailersOnly } from "./status.js";
import { parseTimeout, TimeoutError } from "./timeout.js";
import type { Metadata, Status } from "./types.js";

/** `timeoutMs` of a call without a deadline. */
export const NO_TIMEOUT = -1;

const METHOD_NOT_ALLOWED = 405;
const BAD_REQUEST = 400;
const FOUND = 200;

export const DEADLINE_STATUS: Status = { code: DEADLINE_EXCEEDED, message: "context deadline exceeded" };

/** Immutable and shared by equal requests. */
export class RequestHead {
  /** The method to call; undefined if the request is refused or plain. */
  readonly method: CountedMethod | undefined;
  /** The answer to a request that no method gets; undefined otherwise. */
  readonly refusal: HeaderFields | undefined;
  readonly fields: HeaderFields;
  /** Time that the client gives the call, or `NO_TIMEOUT`. */
  readonly timeoutMs: number;
  /** Encoding of compressed messages. */
  readonly encoding: string;
  #metadata: Metadata | undefined = undefined;

  constructor(
    fields: HeaderFields,
    method: CountedMethod | undefined,
    refusal: HeaderFields | undefined,
    timeoutMs: number,
    encoding: string,
  ) {
    this.method = method;
    this.refusal = refusal;
    this.fields = fields;
    this.timeoutMs = timeoutMs;
    this.encoding = encoding;
  }

  /** Of all calls that begin like this. */
  get metadata(): Metadata {
    this.#metadata ??= new HeaderMetadata(this.fields);
    return this.#metadata;
  }
}

interface CallFields {
  timeoutMs: number;
  encoding: string;
  error: string | undefined;
}

/** Judges a well-formed request. */
export function readHead(request: RequestHeaders, router: Router): RequestHead {
  if (!isGrpc(request.contentType)) return plain(request);
  const fields = readCallFields(request.list);
  if (fields.error !== undefined) return refuse(request, { code: INTERNAL, message: fields.error }, BAD_REQUEST);
  if (request.method !== "POST") return refuse(request, wrongMethod(request.method), METHOD_NOT_ALLOWED);
  if (fields.timeoutMs === 0) return refuse(request, DEADLINE_STATUS, FOUND);
  const method = router.find(request.path);
  if (method === undefined) return refuse(request, router.refusal(request.path), FOUND);
  if (fields.encoding !== IDENTITY && fields.encoding !== GZIP) return refuseEncoding(request, fields.encoding);
  return new RequestHead(request.list, method, undefined, fields.timeoutMs, fields.encoding);
}

/** "application/grpc", alone or followed by a subtype or a parameter. We speak one codec, so neither matters. */
function isGrpc(contentType: string | undefined): boolean {
  if (contentType === undefined || !contentType.startsWith(CONTENT_TYPE)) return false;
  const next = contentType.charAt(CONTENT_TYPE.length);
  return next === "" || next === "+" || next === ";";
}

function readCallFields({ names, values }: HeaderFields): CallFields {
  const fields: CallFields = { timeoutMs: NO_TIMEOUT, encoding: IDENTITY, error: undefined };
  for (let i = 0; i < names.length; i++) takeCallField(fields, names[i], values[i]);
  return fields;
}

function takeCallField(fields: CallFields, name: string, value: string): void {
  if (name === "grpc-timeout") takeTimeout(fields, value);
  else if (name === "grpc-encoding") fields.encoding = value || IDENTITY;
  else if (isBinaryName(name) && !isBinaryValue(value)) {
    fields.error = `malformed binary metadata ${JSON.stringify(value)} in header ${JSON.stringify(name)}: illegal base64 data`;
  }
}

function takeTimeout(fields: CallFields, value: string): void {
  try {
    fields.timeoutMs = parseTimeout(value);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    fields.error = `malformed grpc-timeout: ${error.message}`;
  }
}

function wrongMethod(method: string): Status {
  const text = `Received a HEADERS frame with :method ${JSON.stringify(method)} which should be POST`;
  return { code: INTERNAL, message: text };
}

function plain(request: RequestHeaders): RequestHead {
  return new RequestHead(request.list, undefined, undefined, NO_TIMEOUT, IDENTITY);
}

function refuse(request: RequestHeaders, status: Status, httpStatus: number): RequestHead {
  return new RequestHead(request.list, undefined, trailersOnly(status, httpStatus), NO_TIMEOUT, IDENTITY);
}

function refuseEncoding(request: RequestHeaders, encoding: string): RequestHead {
  const { names, values } = trailersOnly(unknownEncoding(encoding));
  const fields = {
    names: [...names, "grpc-accept-encoding"],
    values: [...values, ACCEPTED_ENCODINGS],
  };
  return new RequestHead(request.list, undefined, fields, NO_TIMEOUT, IDENTITY);
}
