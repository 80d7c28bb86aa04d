/**
 * gRPC server reflection: tools such as grpcurl ask here which services there are and what their messages look like. The
 * answers come from the .proto files; nothing about the state is told.
 */
import {
  createServerReflectionResponse,
  type FileDescriptor,
  fileDescriptors,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  StatusCode,
  serverReflectionResponseCodec,
  serverReflectionService,
  services,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { bidi, type StreamHandler } from "./method.js";
import { okStatus } from "./status.js";

const { serverReflectionInfo } = serverReflectionService.methods;
/** What clients asked for before the service became stable: the same messages. */
const olderPath = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

export function reflectionMethods(context: ServiceContext): Method[] {
  const method = bidi(context, serverReflectionInfo, (call) => new ReflectionStream(call, context));
  return [method, { ...method, path: olderPath }];
}

class ReflectionStream implements StreamHandler<ServerReflectionRequest> {
  readonly #call: ServerCall;
  readonly #context: ServiceContext;

  constructor(call: ServerCall, context: ServiceContext) {
    this.#call = call;
    this.#context = context;
    context.openCalls.add(call, () => {});
    call.onDrain(() => call.resume());
  }

  message(request: ServerReflectionRequest): void {
    this.#call.send(serverReflectionResponseCodec.encodeShared(answer(request)));
    // Who does not read the answers need not ask on.
    if (this.#call.congested) this.#call.pause();
  }

  halfClose(): void {
    this.#context.openCalls.remove(this.#call);
    this.#call.end(okStatus);
  }

  broken(): void {
    this.#context.openCalls.remove(this.#call);
  }
}

type Answer = Partial<ServerReflectionResponse>;

/** There are no extensions in proto3. */
function answer(request: ServerReflectionRequest): ServerReflectionResponse {
  const { fileByFilename, fileContainingSymbol, allExtensionNumbersOfType, listServices } = request;
  let found: Answer = error(StatusCode.invalidArgument, "no question is set");
  if (listServices !== undefined) found = serviceNames();
  else if (fileByFilename !== undefined) found = files(fileDescriptors.find(({ name }) => name === fileByFilename));
  else if (fileContainingSymbol !== undefined) found = files(bySymbol(fileContainingSymbol));
  else if (allExtensionNumbersOfType !== undefined) found = noExtensions(allExtensionNumbersOfType);
  else if (request.fileContainingExtension !== undefined) found = files(undefined);
  return createServerReflectionResponse({ validHost: request.host, originalRequest: request, ...found });
}

function serviceNames(): Answer {
  const service = Object.values(services)
    .map(({ name }) => ({ name }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { listServicesResponse: { service } };
}

/** The file and those it uses, directly or not. */
function files(wanted: FileDescriptor | undefined): Answer {
  if (wanted === undefined) return error(StatusCode.notFound, "not found");
  const found = new Set([wanted]);
  for (const { dependencies } of found) {
    for (const file of fileDescriptors) if (dependencies.includes(file.name)) found.add(file);
  }
  const fileDescriptorProto = [...found].map(({ base64 }) => Buffer.from(base64, "base64"));
  return { fileDescriptorResponse: { fileDescriptorProto } };
}

/** A field is found by the message that has it. */
function bySymbol(symbol: string): FileDescriptor | undefined {
  const has = (name: string): FileDescriptor | undefined =>
    fileDescriptors.find(({ symbols }) => symbols.includes(name));
  return has(symbol) ?? has(symbol.slice(0, symbol.lastIndexOf(".")));
}

function noExtensions(baseTypeName: string): Answer {
  if (bySymbol(baseTypeName) === undefined) return error(StatusCode.notFound, "not found");
  return { allExtensionNumbersResponse: { baseTypeName, extensionNumber: [] } };
}

function error(errorCode: number, errorMessage: string): Answer {
  return { errorResponse: { errorCode, errorMessage } };
}
