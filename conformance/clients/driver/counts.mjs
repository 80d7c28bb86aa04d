// What became of the suites, in figures and in words.

/** What all suites came to together; `skipped` counts suites, the others count checks. */
export function total(results) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) {
    sum.passed += result.passed;
    sum.failed += result.failed;
    sum.skipped += result.skipReason === undefined ? 0 : 1;
  }
  return sum;
}

/** Prints one line per suite, every failed check once more, and the sum as the last line. */
export function printCounts(results) {
  for (const { name, passed, failed, skipReason, seconds } of results) {
    const words = `${passed} passed, ${failed} failed in ${seconds.build.toFixed(1)} + ${seconds.run.toFixed(1)} s`;
    console.log(skipReason === undefined ? `${name}: ${words} (build + run)` : `${name}: skipped: ${skipReason}`);
  }
  for (const { name, failures } of results) {
    for (const failure of failures) {
      console.log(`  ${name}: ${failure}`);
    }
  }
  const { passed, failed, skipped } = total(results);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
