import type { Logger } from "../src/core/logger.ts";

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
