/**
 * The text in which a password's hash is kept, and the scrypt parameters that follow from a cost.
 *
 * The parameters stand in the text, so that the cost can be changed without making old hashes useless. The work itself is
 * done elsewhere (`passwords.ts`).
 */

/** What scrypt (RFC 7914) is called with. */
export interface ScryptParameters {
  /** Binary logarithm of N, the cost in memory and time. */
  readonly logN: number;
  readonly blockSize: number;
  /** Rounds one after the other: cost in time alone. */
  readonly rounds: number;
}

/** A hash taken apart. */
export interface PasswordHash extends ScryptParameters {
  readonly salt: Buffer;
  readonly key: Buffer;
}

export const passwordCostMin = 4;
export const passwordCostMax = 31;
export const passwordCostDefault = 10;

const blockSize = 8;
/** From here on more cost is more rounds instead of more memory: 128 MiB for a hash is enough for any attacker. */
const logNMax = 17;
/** Cost 10, the default, is N = 32,768: 32 MiB, and about the time that bcrypt takes at its cost 10. */
const logNAboveCost = 5;

/** One more doubles the time (AUTH-14). Throws `RangeError` for a cost that is no whole number from 4 to 31. */
export function scryptParameters(cost: number): ScryptParameters {
  if (!Number.isInteger(cost) || cost < passwordCostMin || cost > passwordCostMax) {
    throw new RangeError(`auth.passwordCost must be a whole number from ${passwordCostMin} to ${passwordCostMax}`);
  }
  const work = cost + logNAboveCost;
  const logN = Math.min(work, logNMax);
  return { logN, blockSize, rounds: 2 ** (work - logN) };
}

/** Bytes of memory that one hash needs, as OpenSSL counts them. */
export function scryptMemoryBytes({ logN, blockSize, rounds }: ScryptParameters): number {
  return 128 * blockSize * (2 ** logN + rounds + 2);
}

/** How long one hash takes, in blocks of 128 bytes that are mixed: the time grows with it whatever the parameters. */
export function scryptWork({ logN, blockSize, rounds }: ScryptParameters): number {
  return 2 ** logN * blockSize * rounds;
}

/** "$scrypt$ln=15,r=8,p=1$salt$key" with both in base64 without padding: the form that password hashes commonly have. */
export function formatPasswordHash({ logN, blockSize, rounds, salt, key }: PasswordHash): string {
  return `$scrypt$ln=${logN},r=${blockSize},p=${rounds}$${unpadded(salt)}$${unpadded(key)}`;
}

const form = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,6})\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{22,128})$/;

/** The parts of `text`, or undefined if it is no hash in our form. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const parts = form.exec(text);
  if (parts === null) return undefined;
  const [, logN, blockSize, rounds, salt, key] = parts as unknown as [string, string, string, string, string, string];
  const numbers = { logN: Number(logN), blockSize: Number(blockSize), rounds: Number(rounds) };
  if (numbers.logN < 1 || numbers.blockSize < 1 || numbers.rounds < 1) return undefined;
  return { ...numbers, salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
