/** What a command tells its caller by its exit code, besides that something failed. */

/** The command would overwrite or delete what it was not told to; nothing was done. The message says what to do. */
export class RefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RefusedError";
  }
}

/** The command did a part of its work and left the rest; run again, it goes on. The message says what was left. */
export class IncompleteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "IncompleteError";
  }
}
