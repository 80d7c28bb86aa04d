#!/usr/bin/env node
// A file of its own, so that npm can link the command before anything has been built, and an old Node.js can be told.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`holdfast: Node.js 20.19 or newer is needed, this is ${process.versions.node}`);
  process.exit(2);
}
await import("../dist/main.js");
