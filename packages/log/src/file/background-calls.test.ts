import assert from "node:assert/strict";
import { test } from "node:test";
import { BACKGROUND_CALLS_MAX, BackgroundCalls } from "./background-calls.js";

interface Call {
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** Calls that are made but not over, by number; `ended` keeps what became of each. */
function calls() {
  const background = new BackgroundCalls();
  const made = new Map<number, Call>();
  const ended: string[] = [];
  const ask = (number: number): void => {
    const call = () =>
      new Promise<string>((resolve, reject) => {
        made.set(number, { end: () => resolve(`${number} ended`), fail: reject });
      });
    background.run(call).then(
      (text) => ended.push(text),
      (error: Error) => ended.push(error.message),
    );
  };
  const over = async (number: number, error?: Error): Promise<void> => {
    const call = made.get(number);
    made.delete(number);
    if (error === undefined) call?.end();
    else call?.fail(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { made, ended, ask, over };
}

test("F8: so many calls run at once; the others follow in their order, whatever becomes of those before", async () => {
  const { made, ended, ask, over } = calls();
  for (let number = 1; number <= BACKGROUND_CALLS_MAX + 3; number++) ask(number);
  assert.deepEqual([...made.keys()], [1, 2]);
  await over(2, new Error("2 failed"));
  assert.deepEqual([...made.keys()], [1, 3]);
  await over(1);
  assert.deepEqual([...made.keys()], [3, 4]);
  await over(3);
  await over(4);
  assert.deepEqual([...made.keys()], [5]);
  await over(5);
  assert.deepEqual(ended, ["2 failed", "1 ended", "3 ended", "4 ended", "5 ended"]);
  for (const number of [6, 7, 8]) ask(number);
  assert.deepEqual([...made.keys()], [6, 7]);
});
