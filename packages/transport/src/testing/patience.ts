/** Keeps a test that waits for something which never comes from hanging: it fails and says what it waited for. */

const PATIENCE_MS = 20_000;

/** `promise`, or a rejection that names `what` if it does not settle. */
export async function within<Value>(what: string, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
