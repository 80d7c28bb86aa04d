/** Which path of the gateway calls which method (etcd-v3-wire.md 1). */
import { type AnyMethodDescriptor, methodsByPath } from "@holdfast/protocol";
import type { Method, MethodCounters } from "@holdfast/transport";

/** One method as the gateway calls it. */
export interface Binding {
  readonly descriptor: AnyMethodDescriptor;
  /** Undefined if this server does not offer it. */
  readonly method: Method | undefined;
  /** Where its calls are counted. */
  readonly counters: MethodCounters | undefined;
}

/** By path, as "/v3/kv/put". */
export function bindingsOf(
  methods: Iterable<Method>,
  counters: Iterable<MethodCounters>,
): ReadonlyMap<string, Binding> {
  const methodByPath = new Map([...methods].map((method) => [method.path, method]));
  const countersByPath = new Map([...counters].map((entry) => [entry.path, entry]));
  const bindings = new Map<string, Binding>();
  for (const descriptor of methodsByPath.values()) {
    const { path } = descriptor;
    const binding = { descriptor, method: methodByPath.get(path), counters: countersByPath.get(path) };
    for (const httpPath of descriptor.httpPaths) bindings.set(httpPath, binding);
  }
  return bindings;
}
