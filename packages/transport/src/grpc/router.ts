/** Finds the method for a path, and the words for paths that have none (grpc-go's texts, which clients match). */
import { CountedMethod, type MethodCounters } from "./method-counters.js";
import { UNIMPLEMENTED } from "./status.js";
import type { Method, Status } from "./types.js";

/** The methods of one server. Paths are compared exactly: routing and authorization must see the same name (F42). */
export class Router {
  readonly #methods = new Map<string, CountedMethod>();
  readonly #services = new Set<string>();

  /** @throws RangeError if two methods have the same path, or one is not "/package.Service/Method". */
  constructor(methods: Iterable<Method>) {
    for (const method of methods) this.#add(method);
  }

  /** The method at `path`, or undefined. */
  find(path: string): CountedMethod | undefined {
    return this.#methods.get(path);
  }

  /** What is counted of each method. */
  counters(): MethodCounters[] {
    return [...this.#methods.values()].map(({ counters }) => counters);
  }

  /** Why there is no method at `path`. */
  refusal(path: string): Status {
    const name = splitPath(path);
    if (name === undefined) return unimplemented(`malformed method name: ${JSON.stringify(path)}`);
    if (!this.#services.has(name.service)) return unimplemented(`unknown service ${name.service}`);
    return unimplemented(`unknown method ${name.method} for service ${name.service}`);
  }

  #add(method: Method): void {
    const name = splitPath(method.path);
    if (name === undefined) throw new RangeError(`not a method path: ${method.path}`);
    if (this.#methods.has(method.path)) throw new RangeError(`two methods at ${method.path}`);
    this.#methods.set(method.path, new CountedMethod(method));
    this.#services.add(name.service);
  }
}

function unimplemented(message: string): Status {
  return { code: UNIMPLEMENTED, message };
}

function splitPath(path: string): { service: string; method: string } | undefined {
  const slash = path.lastIndexOf("/");
  if (!path.startsWith("/") || slash === 0) return undefined;
  return { service: path.slice(1, slash), method: path.slice(slash + 1) };
}
