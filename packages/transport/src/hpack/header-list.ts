/** A decoded header list as the HTTP/2 layer reads it. What the fields mean is left to that layer. */

/** Names and values in order, one char (0–255) per octet; `names[i]` belongs to `values[i]`. */
export interface HeaderFields {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** Which limit of the decoder a list exceeded. */
export type HeaderListRefusal = "header-list-too-large" | "too-many-fields";

/**
 * The result of decoding one header block. A repeated block may give the same object again, so that it must not be
 * changed; `attachment` is the one exception.
 */
export class HeaderList implements HeaderFields {
  /** Empty if the list was refused. */
  readonly names: readonly string[];
  readonly values: readonly string[];
  /** Octets of the whole list, name + value + 32 per field (RFC 7541 section 4.1), discarded fields included. */
  readonly bytes: number;
  /** Set if the list exceeded a limit: refuse the stream. The connection itself is sound, the dynamic table is in step. */
  readonly refusal: HeaderListRefusal | undefined;
  /** False if a name or a value breaks RFC 9113 section 8.2.1 (upper case, control octets …): the request is malformed. */
  readonly wellFormed: boolean;
  /** For the reader: what it derived from this list. A repeated block finds it here and need not derive it again. */
  attachment: unknown = undefined;

  constructor(
    names: readonly string[],
    values: readonly string[],
    bytes: number,
    refusal: HeaderListRefusal | undefined,
    wellFormed: boolean,
  ) {
    this.names = names;
    this.values = values;
    this.bytes = bytes;
    this.refusal = refusal;
    this.wellFormed = wellFormed;
  }

  /** The first value of `name`, or undefined. */
  get(name: string): string | undefined {
    const at = this.names.indexOf(name);
    return at < 0 ? undefined : this.values[at];
  }
}
