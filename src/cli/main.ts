import { createProgram } from "./program.ts";
import { runProgram } from "./run-program.ts";

// `elastic-job list | head` closes our output early: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

await runProgram(createProgram(process.env), process.argv, process.env["LOG_LEVEL"] === "debug");
