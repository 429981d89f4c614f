#!/usr/bin/env node
/**
 * Where a process begins. Node keeps what it has compiled in a folder, so that the next start takes half the
 * CPU time and 40 MB less: most of that is the part of Node that reads TypeScript, in each thread, which is
 * not loaded when everything comes from the folder. So this module must be plain JavaScript, and import
 * nothing else before; and what a Node that is too old for the rest lacks, it must not name in an import.
 */
import nodeModule from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

/** It is the first with Temporal. */
const OLDEST_NODE = 26;

if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
  console.error(
    `elastic-job needs Node ${OLDEST_NODE} or newer, and this is ${process.versions.node}. To bring one along: npx -p node@${OLDEST_NODE} -p elastic-job elastic-job …`,
  );
  process.exit(1);
}

// Not Node's default in /tmp: whoever writes there first would choose what is run here. By this variable, threads
// for handlers use it too. Where it can't be written, or is switched off, everything works without.
process.env.NODE_COMPILE_CACHE ||= fileURLToPath(
  new URL("../../node_modules/.cache/elastic-job", import.meta.url),
);
nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE);

// V8 allocates at once in its old space what tends to outlive a collection. Calls do, as thousands of jobs are under
// way together, and are garbage right after that: a burst of adds would fill the old space with them.
setFlagsFromString("--no-allocation-site-pretenuring");

await import("./main.ts");
