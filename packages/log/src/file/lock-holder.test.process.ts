/**
 * Not a test: a second process for the tests. Opens the log in the folder given, appends numbered
 * payloads as fast as they are stored, and prints the number of each one that was. Says `locked` and
 * ends if somebody else has the folder.
 */

import { LogFolderLockedError } from "../errors.js";
import { openFileLog } from "./open-file-log.js";

const folder = process.argv[2]!;
const first = Number(process.argv[3] ?? 0);

try {
  const log = await openFileLog({ folder });
  await log.acquire();
  process.stdout.write("open\n");
  const appendNext = (number: number): void => {
    log.append(Buffer.from(`number ${number}`), (result) => {
      if (result.fate !== "stored") throw new Error(JSON.stringify(result));
      // What the system has not taken would be lost with the process: never more than one is stored and not told.
      process.stdout.write(`${number}\n`, () => appendNext(number + 1));
    });
  };
  appendNext(first);
} catch (error) {
  if (!(error instanceof LogFolderLockedError)) throw error;
  process.stdout.write("locked\n");
}
