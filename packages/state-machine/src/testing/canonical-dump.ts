/**
 * Everything that can be asked of a machine, in one text: two machines that differ in anything differ in this.
 */
import { createRangeRequest } from "@holdfast/protocol";
import type { StateMachine } from "../state-machine.js";
import { key } from "./builders.js";
import { plain } from "./plain.js";

/** Removes what is compacted, so that what is still to be swept does not show. */
export function canonicalDump(machine: StateMachine): string {
  while (!machine.sweep(10));
  const { revision, compactRevision, appliedCommands, keyCount, leaseCount, approximateBytes } = machine;
  const oldest = Math.max(compactRevision, 1);
  const history: unknown[] = [];
  const next = machine.readHistory(oldest, Number.POSITIVE_INFINITY, (at, events) => {
    history.push([at, events, events.map((event) => machine.previousVersion(event) ?? "none")]);
  });
  const ranges: unknown[] = [];
  for (let at = oldest; at <= revision; at++) {
    ranges.push(machine.range(createRangeRequest({ key: key("\0"), rangeEnd: key("\0"), revision: at })));
  }
  const numbers = { revision, compactRevision, appliedCommands, keyCount, leaseCount, approximateBytes, next };
  const { enabled, revision: authRevision } = machine.auth;
  const auth = { enabled, authRevision, users: [...machine.auth.users()], roles: [...machine.auth.roles()] };
  return JSON.stringify(
    plain({ numbers, auth, alarms: machine.alarms(), leases: [...machine.leases()], history, ranges }),
    undefined,
    1,
  );
}
