/**
 * Memory that begins at a page, for writes that go past the system's cache (`direct-writes.ts`). Node.js offers no such
 * thing; the memory of a WebAssembly program, without any program, is it.
 *
 * V8 sets aside some gigabytes of addresses for each, so that it grows where it is: addresses only, no memory.
 */

/** What is used of `WebAssembly.Memory`, which no library of types for Node.js has. */
interface PagedMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

type PagedMemoryClass = new (descriptor: { readonly initial: number }) => PagedMemory;

const PAGE_BYTES = 64 * 1024;

export class AlignedMemory {
  readonly #memory: PagedMemory;
  #bytes: Buffer;

  private constructor(memory: PagedMemory) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory.buffer);
  }

  /** Undefined where there is none to be had: without WebAssembly (`--jitless`), or with a limit on addresses. */
  static make(): AlignedMemory | undefined {
    const { WebAssembly } = globalThis as { WebAssembly?: { readonly Memory: PagedMemoryClass } };
    if (WebAssembly === undefined) return undefined;
    try {
      return new AlignedMemory(new WebAssembly.Memory({ initial: 1 }));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /**
   * At least so many bytes, at least doubled when there were fewer; what was returned before is of no use from then on.
   * Undefined if there is no more.
   */
  atLeast(bytes: number): Buffer | undefined {
    const missing = bytes - this.#bytes.length;
    if (missing <= 0) return this.#bytes;
    try {
      this.#memory.grow(Math.ceil(Math.max(missing, this.#bytes.length) / PAGE_BYTES));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
    this.#bytes = Buffer.from(this.#memory.buffer);
    return this.#bytes;
  }
}
