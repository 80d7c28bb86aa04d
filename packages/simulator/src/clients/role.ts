/** What a kind of client is to the one who runs it. */
import type { Actor } from "./actor.js";

export interface Role {
  /** Does one of the things that such a client does. Never rejects. */
  step(): Promise<void>;
  /**
   * The faults are over: does once more what the client is there for, and resolves when that has worked (I14). Behaves well;
   * leaves nothing behind that others would wait for.
   */
  settle(): Promise<void>;
}

/** Makes the role of one life of a client. */
export type RoleFactory = (actor: Actor) => Role;
