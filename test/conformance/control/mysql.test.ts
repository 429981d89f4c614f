import { afterAll } from "vitest";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { describeControl } from "./control-suite.ts";
import { describePuts } from "./put-suite.ts";
import { describeSets } from "./set-suite.ts";

const database = await freshDatabase();
afterAll(() => database.drop());

const open = async () => openMysqlStore({ url: database.url, clock: systemClock });
describeControl("MySQL", open);
describePuts("MySQL", open);
describeSets("MySQL", open);
