import { endWithOutput } from "./lost-output.ts";
import { createProgram } from "./program.ts";
import { runProgram } from "./run-program.ts";

endWithOutput();
await runProgram(createProgram(process.env), process.argv, process.env["LOG_LEVEL"] === "debug");
