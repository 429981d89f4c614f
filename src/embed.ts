/**
 * What a service imports to run a node in its own process. The settings are those of the command, from the process's
 * environment or an object of its own; the logger is pino's, or anything that has these four methods, such as `console`.
 */
export { type RunningNode, startNode } from "./app.ts";
export { type Config, type Environment, parseConfig } from "./config.ts";
export type { Logger } from "./core/logger.ts";
