/**
 * Which header lists are well-formed requests, responses and trailers (RFC 9113, 8.2 and 8.3). A malformed one is a
 * stream error of type PROTOCOL_ERROR; what a well-formed one means is left to the layers above.
 */
import type { HeaderList } from "../hpack/index.js";

/** A well-formed request. Equal requests of all connections may share it, so only `attachment` may be changed. */
export class RequestHeaders {
  readonly method: string;
  /** Empty for CONNECT only. */
  readonly path: string;
  readonly scheme: string;
  /** `:authority`, or undefined. */
  readonly authority: string | undefined;
  readonly contentType: string | undefined;
  /** The declared length of the body, -1 if there is none. */
  readonly contentLength: number;
  /** All fields in order, pseudo-headers included. */
  readonly list: HeaderList;
  /** For the layer above: what it derived from this request. */
  attachment: unknown = undefined;

  constructor(pseudo: PseudoFields, regular: RegularFields, list: HeaderList) {
    this.method = pseudo.method!;
    this.path = pseudo.path ?? "";
    this.scheme = pseudo.scheme ?? "";
    this.authority = pseudo.authority;
    this.contentType = regular.contentType;
    this.contentLength = regular.contentLength;
    this.list = list;
  }
}

interface PseudoFields {
  method: string | undefined;
  path: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  /** Index of the first field that is not a pseudo-header. */
  end: number;
}

interface RegularFields {
  contentType: string | undefined;
  contentLength: number;
}

const COLON = 0x3a;
const CONTENT_LENGTH = /^[0-9]{1,15}$/;
const STATUS = /^[1-9][0-9]{2}$/;

/** The request that `list` describes, or undefined if it is malformed. */
export function readRequest(list: HeaderList): RequestHeaders | undefined {
  if (!list.wellFormed) return undefined;
  const pseudo = readPseudoFields(list);
  if (pseudo === undefined || !isComplete(pseudo)) return undefined;
  const regular = readRegularFields(list, pseudo.end);
  return regular === undefined ? undefined : new RequestHeaders(pseudo, regular, list);
}

/** The status of the response that `list` describes, or undefined if it is malformed. */
export function readStatus(list: HeaderList): number | undefined {
  if (!list.wellFormed || list.names[0] !== ":status" || !STATUS.test(list.values[0])) return undefined;
  return readRegularFields(list, 1) === undefined ? undefined : Number(list.values[0]);
}

/** Whether `list` may be trailers. */
export function isTrailers(list: HeaderList): boolean {
  return list.wellFormed && readRegularFields(list, 0) !== undefined;
}

/** RFC 9113, 8.3: each at most once, none unknown, all before the regular fields (`readRegularFields` checks that). */
function readPseudoFields(list: HeaderList): PseudoFields | undefined {
  const { names, values } = list;
  const pseudo: PseudoFields = {
    method: undefined,
    path: undefined,
    scheme: undefined,
    authority: undefined,
    end: names.length,
  };
  for (let i = 0; i < names.length; i++) {
    if (names[i].charCodeAt(0) !== COLON) {
      pseudo.end = i;
      break;
    }
    if (!takePseudoField(pseudo, names[i], values[i])) return undefined;
  }
  return pseudo;
}

function takePseudoField(pseudo: PseudoFields, name: string, value: string): boolean {
  switch (name) {
    case ":method":
      if (pseudo.method !== undefined) return false;
      pseudo.method = value;
      return true;
    case ":path":
      if (pseudo.path !== undefined) return false;
      pseudo.path = value;
      return true;
    case ":scheme":
      if (pseudo.scheme !== undefined) return false;
      pseudo.scheme = value;
      return true;
    case ":authority":
      if (pseudo.authority !== undefined) return false;
      pseudo.authority = value;
      return true;
    default:
      return false;
  }
}

/** RFC 9113, 8.3.1, and 8.5 for CONNECT. */
function isComplete(pseudo: PseudoFields): boolean {
  if (!pseudo.method) return false;
  if (pseudo.method === "CONNECT") {
    return pseudo.authority !== undefined && pseudo.scheme === undefined && pseudo.path === undefined;
  }
  return Boolean(pseudo.scheme) && Boolean(pseudo.path);
}

function readRegularFields(list: HeaderList, start: number): RegularFields | undefined {
  const { names, values } = list;
  const regular: RegularFields = { contentType: undefined, contentLength: -1 };
  let hosts = 0;
  for (let i = start; i < names.length; i++) {
    const name = names[i];
    if (name === "host" && ++hosts > 1) return undefined;
    if (!takeRegularField(regular, name, values[i])) return undefined;
  }
  return regular;
}

function takeRegularField(regular: RegularFields, name: string, value: string): boolean {
  switch (name) {
    case "content-type":
      regular.contentType ??= value;
      return true;
    case "content-length":
      return takeContentLength(regular, value);
    case "te":
      return value === "trailers";
    case "connection":
    case "proxy-connection":
    case "keep-alive":
    case "transfer-encoding":
    case "upgrade":
      return false;
    default:
      return name.charCodeAt(0) !== COLON;
  }
}

function takeContentLength(regular: RegularFields, value: string): boolean {
  if (!CONTENT_LENGTH.test(value)) return false;
  const length = Number(value);
  if (regular.contentLength >= 0 && regular.contentLength !== length) return false;
  regular.contentLength = length;
  return true;
}
