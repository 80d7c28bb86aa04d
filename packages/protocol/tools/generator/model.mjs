// Reads the .proto files (protobufjs parses them) into the plain model that the emitters work on.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import { camelCase, codecName, enumName, jsonName } from "./names.mjs";
import { representationOf } from "./representations.mjs";

/** The .proto files below `protoDirectory`, relative to it, sorted. */
export function protoFiles(protoDirectory) {
  return readdirSync(protoDirectory, { recursive: true })
    .filter((file) => file.endsWith(".proto"))
    .sort();
}

/** The .proto files below `protoDirectory` as protobufjs has them. */
export function loadRoot(protoDirectory) {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith(protoDirectory) ? target : join(protoDirectory, target));
  root.loadSync(protoFiles(protoDirectory), { keepCase: true, alternateCommentMode: true });
  root.resolveAll();
  return root;
}

/** All packages of `root`: `[{ name, enums, messages, services }]`, sorted by name. */
export function modelOf(root) {
  const packages = new Map();
  collect(root, packages);
  const model = [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  link(model.flatMap((entry) => entry.messages));
  return model;
}

function collect(namespace, packages) {
  const packageName = namespace.fullName.slice(1);
  for (const item of namespace.nestedArray) {
    const isContent =
      item instanceof protobuf.Type || item instanceof protobuf.Enum || item instanceof protobuf.Service;
    if (!isContent) {
      collect(item, packages);
      continue;
    }
    if (!packages.has(packageName)) packages.set(packageName, newPackage(packageName));
    const target = packages.get(packageName);
    if (item instanceof protobuf.Enum) target.enums.push(enumModel(item));
    if (item instanceof protobuf.Service) target.services.push(serviceModel(item, packageName));
    if (item instanceof protobuf.Type) collectMessage(item, target);
  }
}

function newPackage(name) {
  return { name, enums: [], messages: [], services: [] };
}

function collectMessage(type, target) {
  target.messages.push(messageModel(type));
  for (const nested of type.nestedArray) {
    if (!(nested instanceof protobuf.Enum))
      throw new Error(`${nested.fullName}: only enums may be nested in a message`);
    target.enums.push(enumModel(nested));
  }
}

function enumModel(item) {
  const fullName = item.fullName.slice(1);
  const values = Object.entries(item.values).map(([name, number]) => ({ name, number, comment: item.comments[name] }));
  return { name: enumName(fullName), fullName, comment: item.comment, values };
}

function messageModel(type) {
  const fullName = type.fullName.slice(1);
  const fields = type.fieldsArray.map((field) => fieldModel(fullName, field)).sort((a, b) => a.number - b.number);
  const oneofs = type.oneofsArray.map((oneof) => ({
    name: oneof.name,
    arms: fields.filter((field) => field.oneof === oneof.name),
  }));
  return {
    name: type.name,
    fullName,
    codec: codecName(type.name),
    comment: type.comment,
    fields,
    oneofs,
    isField: false,
  };
}

function fieldModel(messageName, field) {
  const type = fieldType(field);
  return {
    name: field.name,
    jsonName: jsonName(field.name),
    property: camelCase(field.name),
    number: field.id,
    comment: field.comment,
    type,
    representation: representationOf(messageName, field.name, type),
    repeated: field.repeated,
    oneof: field.partOf?.name,
    target: field.resolvedType ? targetModel(field.resolvedType) : undefined,
  };
}

function fieldType(field) {
  if (field.map) {
    if (field.keyType !== "string" || !(field.resolvedType instanceof protobuf.Type)) {
      throw new Error(`${field.fullName}: only map<string, message> is supported`);
    }
    return "map";
  }
  if (field.resolvedType instanceof protobuf.Enum) return "enum";
  if (field.resolvedType instanceof protobuf.Type) return "message";
  return field.type;
}

/** The enum or message that a field refers to. */
function targetModel(type) {
  const fullName = type.fullName.slice(1);
  let owner = type.parent;
  while (owner instanceof protobuf.Type) owner = owner.parent;
  const name = type instanceof protobuf.Enum ? enumName(fullName) : type.name;
  return { name, fullName, packageName: owner.fullName.slice(1) };
}

function serviceModel(service, packageName) {
  const methods = service.methodsArray.map((method) => ({
    name: method.name,
    property: camelCase(method.name),
    path: `/${packageName}.${service.name}/${method.name}`,
    kind: methodKind(method),
    httpPaths: [...(method.comment ?? "").matchAll(/^HTTP: POST (\S+)$/gm)].map((match) => match[1]),
    comment: (method.comment ?? "").replace(/^HTTP: .*$/gm, "").trim(),
    request: targetModel(method.resolvedRequestType),
    response: targetModel(method.resolvedResponseType),
  }));
  return { name: service.name, fullName: `${packageName}.${service.name}`, comment: service.comment, methods };
}

function methodKind(method) {
  if (method.requestStream) return method.responseStream ? "bidi" : "clientStream";
  return method.responseStream ? "serverStream" : "unary";
}

/** Lets fields know the models of their messages, and messages whether they are fields and whether they recur. */
function link(messages) {
  const byName = new Map(messages.map((message) => [message.fullName, message]));
  for (const field of messages.flatMap((message) => message.fields)) {
    if (field.type !== "message" && field.type !== "map") continue;
    field.targetModel = byName.get(field.target.fullName);
    field.targetModel.isField = true;
  }
  for (const message of messages) message.recursive = descendants(message).has(message);
}

/** All messages that can occur somewhere inside `message`. */
function descendants(message) {
  const found = new Set();
  const pending = [message];
  while (pending.length > 0) {
    for (const { targetModel } of pending.pop().fields) {
      if (targetModel === undefined || found.has(targetModel)) continue;
      found.add(targetModel);
      pending.push(targetModel);
    }
  }
  return found;
}
