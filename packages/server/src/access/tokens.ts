/** What the two kinds of token have in common: a user is given one, and it is told back later who that was. */

import type { EtcdError } from "@holdfast/protocol";
import type { Caller } from "@holdfast/state-machine";

export interface Tokens {
  /** A token for a user whose password was right, or the error that the client gets instead. */
  issue(userName: string): string | EtcdError;
  /** Whom a token stands for; undefined if it stands for nobody (AUTH-12). */
  caller(token: string): Caller | undefined;
  /** Authentication was switched off: what the server has given out is void (AUTH-6). */
  voidAll(): void;
}
