/**
 * Whether the Node.js that runs us has the fixes that a server needs whose peers are not trusted (fault-model section 7,
 * 10): those of July 2026, for HTTP/2 memory accounting among others. Versions that get no fixes any more have them not.
 */

/** The first version of each line that has the fixes. Lines after the last have them from their beginning. */
const firstSafe: readonly (readonly [major: number, minor: number, patch: number])[] = [
  [22, 23, 2],
  [24, 18, 1],
  [26, 5, 1],
];

/** What to warn of when this version of Node.js serves, as `process.versions.node` has it; undefined if nothing. */
export function runtimeWarning(nodeVersion: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = nodeVersion.split(/[.-]/).map(Number);
  const newest = firstSafe[firstSafe.length - 1]!;
  if (major > newest[0]) return undefined;
  const line = firstSafe.find(([lineMajor]) => lineMajor === major);
  if (line !== undefined && (minor > line[1] || (minor === line[1] && patch >= line[2]))) return undefined;
  const versions = firstSafe.map((version) => version.join(".")).join(", ");
  return `Node.js ${nodeVersion} lacks security fixes for servers that untrusted peers can reach: use ${versions} or later`;
}
