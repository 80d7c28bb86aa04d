#!/usr/bin/env node
// A file of its own, so that npm can link the command before anything has been built.
import "../dist/main.js";
