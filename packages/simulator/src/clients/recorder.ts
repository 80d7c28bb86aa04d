/** Takes down what the clients do and see: the clients' part of a history. It judges nothing. */
import type { Call, CallKind, CallOf, CallTypes, Fate } from "../history/calls.js";
import type { Hold, ResourceWrite } from "../history/holds.js";
import type { Moment } from "../history/moment.js";
import type { WatchRecord } from "../history/watches.js";

/** Where moments come from. */
export interface Moments {
  moment(): Moment;
}

/** What is known of a call before it is made. */
export interface Caller {
  readonly client: string;
  readonly connection: number;
}

export class Recorder {
  readonly calls: Call[] = [];
  readonly watches: WatchRecord[] = [];
  readonly holds: Hold[] = [];
  readonly resourceWrites: ResourceWrite[] = [];
  readonly #moments: Moments;
  #connections = 0;

  constructor(moments: Moments) {
    this.#moments = moments;
  }

  moment(): Moment {
    return this.#moments.moment();
  }

  /** A number for a new connection, unique in the history. */
  nextConnection(): number {
    this.#connections++;
    return this.#connections;
  }

  /**
   * A call that is made now. `build` gets the call's tag, unique in the history: `client-callId`. Every value that the call
   * writes begins with it, so that its traces in the log can be told from those of all other calls.
   */
  begin<Kind extends CallKind>(
    kind: Kind,
    { client, connection }: Caller,
    build: (tag: string) => CallTypes[Kind]["request"],
  ): CallOf<Kind> {
    const id = this.calls.length + 1;
    const request = build(`${client}-${id}`);
    const invoked = this.moment();
    const call: CallOf<Kind> = { kind, id, client, connection, request, invoked, ended: undefined, result: undefined };
    this.calls.push(call as unknown as Call);
    return call;
  }

  /** The call has ended now, so. */
  end<Kind extends CallKind>(call: CallOf<Kind>, result: Fate<CallTypes[Kind]["response"]>): void {
    call.ended = this.moment();
    call.result = result;
  }

  /** A watch whose request goes out now. */
  beginWatch(caller: Caller, request: WatchRecord["request"], resumedFrom: number | undefined): WatchRecord {
    const watch: WatchRecord = {
      id: this.watches.length + 1,
      client: caller.client,
      connection: caller.connection,
      request,
      created: this.moment(),
      messages: [],
      resumedFrom,
      ended: undefined,
      caughtUp: false,
    };
    this.watches.push(watch);
    return watch;
  }
}
