/** How often the health pages were asked, and what they answered last. Few names, so plain maps do. */

export interface CheckResult {
  readonly page: string;
  readonly check: string;
  passed: number;
  failed: number;
  lastPassed: boolean;
}

export class HealthCounters {
  /** Answers of `/health`. */
  healthy = 0;
  unhealthy = 0;
  readonly #checks = new Map<string, CheckResult>();

  countHealth(healthy: boolean): void {
    if (healthy) this.healthy++;
    else this.unhealthy++;
  }

  countCheck(page: string, check: string, passed: boolean): void {
    const result = this.#check(page, check);
    result.lastPassed = passed;
    if (passed) result.passed++;
    else result.failed++;
  }

  /** The checks that have run. */
  checks(): readonly CheckResult[] {
    return [...this.#checks.values()];
  }

  #check(page: string, check: string): CheckResult {
    const name = `${page}/${check}`;
    const known = this.#checks.get(name);
    if (known !== undefined) return known;
    const made: CheckResult = { page, check, passed: 0, failed: 0, lastPassed: false };
    this.#checks.set(name, made);
    return made;
  }
}
