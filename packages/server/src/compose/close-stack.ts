/** What has been opened, closed once and in the opposite order. */

export class CloseStack {
  readonly #closers: Array<() => Promise<void>> = [];
  #closing: Promise<void> | undefined;

  add(closer: () => Promise<void>): void {
    this.#closers.push(closer);
  }

  /** Goes on to the next where one fails, and throws the first error in the end. The same promise every time. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const closer of this.#closers.reverse()) await closer().catch((error) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
