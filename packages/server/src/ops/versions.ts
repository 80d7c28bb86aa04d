/** The versions that the pages show: etcd's, whose behaviour this server has, and its own. */
import { readFileSync } from "node:fs";
import { etcdVersion } from "../services/maintenance.js";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** Of this server. */
export const ownVersion: string = manifest.version;

/** Of the cluster and its storage: the minor release, in two forms. */
export const minorVersion: string = etcdVersion.split(".").slice(0, 2).join(".");
export const clusterVersion = `${minorVersion}.0`;

/** The body of `/version` (HTTP-1). */
export const versionBody: string = JSON.stringify({
  etcdserver: etcdVersion,
  etcdcluster: clusterVersion,
  storage: clusterVersion,
});
