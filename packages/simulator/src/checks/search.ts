/**
 * The search for a legal order of calls, whatever they are: depth first, with memory of what was visited (fault model, C3). A
 * call may come next if no call that must come was over before it was made. Calls of unknown fate may come, or never.
 */

/** Something that happens at one moment within its time. */
export interface Operation<State> {
  /** What it is, for people to read. */
  readonly name: string;
  /** Its time, as orders; the end is infinite for what may happen at any time later. */
  readonly from: number;
  readonly to: number;
  /** Whether it must happen. */
  readonly required: boolean;
  /** Whether it changes no state at all. */
  readonly isRead: boolean;
  /** Whether it cannot come any more, now or later, once there is this state. */
  readonly isPast: (state: State) => boolean;
  /** What must have happened before, if anything. */
  readonly after: Operation<State> | undefined;
  /** The state after it; undefined if it cannot have happened, with the answer it got, in this state. */
  readonly step: (state: State) => State | undefined;
}

/** What a search comes to. */
export interface SearchResult {
  readonly result: "order found" | "no order" | "gave up";
  /** How many states were looked at. */
  readonly states: number;
  /** If there is no order: how many of the operations could be put in order at most, and what could not come then. */
  readonly furthest: { readonly placed: number; readonly stuck: readonly string[] };
}

/** What to search. */
export interface SearchTask<State> {
  readonly operations: readonly Operation<State>[];
  readonly initial: State;
  /** Tells states apart. */
  readonly fingerprint: (state: State) => string;
  /** After so many states the search is given up. */
  readonly statesMax: number;
}

/** Searches. */
export function search<State>(task: SearchTask<State>): SearchResult {
  return new Search(task).run();
}

/** A place in the search: what has happened, and what can be tried next. */
interface Node<State> {
  readonly state: State;
  /** The operation that led here; -1 at the root. */
  readonly taken: number;
  readonly choices: readonly Choice<State>[];
  tried: number;
}

interface Choice<State> {
  readonly index: number;
  readonly state: State;
}

class Search<State> {
  readonly #task: SearchTask<State>;
  /** By the beginning of their time. */
  readonly #operations: readonly Operation<State>[];
  readonly #indexes: ReadonlyMap<Operation<State>, number>;
  readonly #taken: boolean[];
  readonly #visited = new Set<string>();
  #requiredLeft: number;
  #placed = 0;
  /** Everything before this one has been taken. */
  #firstOpen = 0;
  #furthest = 0;
  #stuck: readonly string[] = [];

  constructor(task: SearchTask<State>) {
    this.#task = task;
    this.#operations = [...task.operations].sort((left, right) => left.from - right.from);
    this.#indexes = new Map(this.#operations.map((operation, index) => [operation, index]));
    this.#taken = this.#operations.map(() => false);
    this.#requiredLeft = this.#operations.filter(({ required }) => required).length;
  }

  run(): SearchResult {
    const path: Node<State>[] = [this.#node(this.#task.initial, -1)];
    while (this.#requiredLeft > 0) {
      const node = path.at(-1);
      if (node === undefined) return this.#result("no order");
      if (this.#visited.size > this.#task.statesMax) return this.#result("gave up");
      const choice = node.choices[node.tried];
      node.tried++;
      if (choice === undefined) {
        path.pop();
        if (node.taken >= 0) this.#untake(node.taken);
        continue;
      }
      this.#take(choice.index);
      if (this.#isNew(choice.state)) path.push(this.#node(choice.state, choice.index));
      else this.#untake(choice.index);
    }
    return this.#result("order found");
  }

  #result(result: SearchResult["result"]): SearchResult {
    return { result, states: this.#visited.size, furthest: { placed: this.#furthest, stuck: this.#stuck } };
  }

  #node(state: State, taken: number): Node<State> {
    const open = this.#open();
    const choices = this.#choices(open, state);
    if (this.#placed >= this.#furthest && this.#requiredLeft > 0) {
      this.#furthest = this.#placed;
      this.#stuck = open
        .filter((index) => this.#operations[index]!.required)
        .map((index) => this.#operations[index]!.name);
    }
    return { state, taken, choices, tried: 0 };
  }

  /** What may come next by time: made before anything that must still come was over. */
  #open(): number[] {
    const open: number[] = [];
    let firstEnd = Number.POSITIVE_INFINITY;
    for (let index = this.#firstOpen; index < this.#operations.length; index++) {
      const operation = this.#operations[index]!;
      if (operation.from > firstEnd) break;
      if (this.#taken[index]) continue;
      open.push(index);
      if (operation.required) firstEnd = Math.min(firstEnd, operation.to);
    }
    return open.filter((index) => this.#operations[index]!.from < firstEnd);
  }

  /**
   * What may come next by what it says. A read that must come is taken at once, and alone: all else is as possible after it
   * as before. Nothing may come once something that must has been missed. What need not come and changes nothing here is left out. The required come first.
   */
  #choices(open: readonly number[], state: State): Choice<State>[] {
    const required: Choice<State>[] = [];
    const optional: Choice<State>[] = [];
    for (const index of open) {
      const operation = this.#operations[index]!;
      if (operation.required && operation.isPast(state)) return [];
      if (operation.after !== undefined && !this.#hasHappened(operation.after)) continue;
      const next = operation.step(state);
      if (next === undefined) continue;
      if (operation.required && operation.isRead) return [{ index, state: next }];
      if (operation.required) required.push({ index, state: next });
      else if (next !== state) optional.push({ index, state: next });
    }
    return [...required, ...optional];
  }

  #hasHappened(operation: Operation<State>): boolean {
    const index = this.#indexes.get(operation);
    return index !== undefined && this.#taken[index] === true;
  }

  #take(index: number): void {
    this.#taken[index] = true;
    this.#placed++;
    if (this.#operations[index]!.required) this.#requiredLeft--;
    while (this.#taken[this.#firstOpen] === true) this.#firstOpen++;
  }

  #untake(index: number): void {
    this.#taken[index] = false;
    this.#placed--;
    if (this.#operations[index]!.required) this.#requiredLeft++;
    this.#firstOpen = Math.min(this.#firstOpen, index);
  }

  /** Remembers what has happened and what came of it; false if that was seen before. */
  #isNew(state: State): boolean {
    let last = this.#taken.length - 1;
    while (last >= this.#firstOpen && !this.#taken[last]) last--;
    // What is left out, rather than what has happened: calls of unknown fate that stay open are few.
    let leftOut = `${last}`;
    for (let index = this.#firstOpen; index < last; index++) if (!this.#taken[index]) leftOut += ` ${index}`;
    const before = this.#visited.size;
    this.#visited.add(`${leftOut}/${this.#task.fingerprint(state)}`);
    return this.#visited.size > before;
  }
}
