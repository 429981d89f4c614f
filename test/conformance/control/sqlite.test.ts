import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { describeControl } from "./control-suite.ts";
import { describePuts } from "./put-suite.ts";
import { describeSets } from "./set-suite.ts";

const folder = await mkdtemp(join(tmpdir(), "elastic-job-control-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = async () => openSqliteStore({ path: join(folder, "jobs.db"), clock: systemClock });
describeControl("SQLite", open);
describePuts("SQLite", open);
describeSets("SQLite", open);
