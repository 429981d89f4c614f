import { afterAll } from "vitest";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { describeControl } from "./control-suite.ts";

const database = await freshDatabase();
afterAll(() => database.drop());

describeControl("MySQL", async () => openMysqlStore({ url: database.url, clock: systemClock }));
