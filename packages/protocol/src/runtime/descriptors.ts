/**
 * The shape of what the generated code says about messages, enums and services: enough to map any message to
 * another format (the JSON gateway) or to bind every method of a service, without generating more code.
 */

import type { Writer } from "./writer.js";

/** How a field is typed in the .proto file. */
export type FieldType =
  | "bool"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "string"
  | "bytes"
  | "enum"
  | "message"
  /** `map<string, message>`; the only kind of map in the API. */
  | "map";

/** How a field is held in memory. */
export type FieldRepresentation =
  | "boolean"
  | "number"
  | "bigint"
  | "string"
  /** One character per byte, see `ByteString`. */
  | "byteString"
  /** `Uint8Array`. */
  | "bytes"
  | "message"
  /** `ReadonlyMap<string, message>`. */
  | "map";

/** An enum and its names. Numbers without a name are legal in every enum field. */
export interface EnumDescriptor {
  /** Full name, for example `mvccpb.Event.EventType`. */
  readonly typeName: string;
  readonly values: Readonly<Record<string, number>>;
}

/** One field of a message. */
export interface FieldDescriptor {
  /** Name in the .proto file, for example `range_end`. */
  readonly name: string;
  /** Name that the protobuf JSON mapping gives it, for example `rangeEnd`. */
  readonly jsonName: string;
  /** Name of the property that holds it. */
  readonly property: string;
  readonly number: number;
  readonly type: FieldType;
  readonly representation: FieldRepresentation;
  readonly repeated: boolean;
  /** Name of the oneof it belongs to. */
  readonly oneof: string | undefined;
  /** The enum, when `type` is `enum`. */
  readonly enumType: EnumDescriptor | undefined;
  /** The type of the message, or of the values of the map. A function, because types may contain themselves. */
  readonly messageType: (() => MessageCodec<unknown>) | undefined;
}

/** A message type with its functions. */
export interface MessageCodec<Message> {
  /** Full name, for example `etcdserverpb.PutRequest`. */
  readonly typeName: string;
  readonly fields: readonly FieldDescriptor[];
  /** A message with the fields given and defaults for all others. */
  create(fields?: Partial<Message>): Message;
  /** Throws `MalformedMessageError`. */
  decode(bytes: Uint8Array, start?: number, end?: number): Message;
  /** The encoding, as bytes of its own. */
  encode(message: Message): Uint8Array;
  /** The encoding, as a view into a buffer that the next encoding of any message overwrites. */
  encodeShared(message: Message): Uint8Array;
  /** Appends the encoding to `writer`. */
  write(writer: Writer, message: Message): void;
}

/** Which side of a call streams. */
export type MethodKind = "unary" | "serverStream" | "clientStream" | "bidi";

/** One RPC. */
export interface MethodDescriptor<Request, Response, Kind extends MethodKind> {
  /** Full name of the service, for example `etcdserverpb.KV`. */
  readonly service: string;
  /** Name of the method, for example `Put`. */
  readonly method: string;
  /** gRPC path, for example `/etcdserverpb.KV/Put`. */
  readonly path: string;
  readonly kind: Kind;
  /** Paths of the JSON gateway (POST, the body is the request), the main one first. */
  readonly httpPaths: readonly string[];
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

/** Any RPC, when the types of its messages do not matter. */
export type AnyMethodDescriptor = MethodDescriptor<unknown, unknown, MethodKind>;

/** A service; `Methods` lists its methods by name, in lower camel case. */
export interface ServiceDescriptor<Methods> {
  /** Full name, for example `etcdserverpb.KV`. */
  readonly name: string;
  readonly methods: Methods;
}

/** A .proto file, for server reflection. */
export interface FileDescriptor {
  /** Path of the file, for example `etcdserverpb/rpc.proto`. */
  readonly name: string;
  /** Names of the files it uses. */
  readonly dependencies: readonly string[];
  /** Full names of its services, methods, messages and enums. */
  readonly symbols: readonly string[];
  /** Its encoded `google.protobuf.FileDescriptorProto`, in base64. */
  readonly base64: string;
}
