/**
 * Tables that MySQL does not let this node use, told in the log when that begins and when it is over: whoever calls is told each time, and
 * who runs the node would else hear of it from callers. Where it is a table that each add needs, the node is not ready.
 */
import type { Logger } from "../../core/logger.ts";
import type { Answers } from "../../core/readiness/answers.ts";
import { hasDone, mendTable, type TableRefusal, tableRefusalIn } from "./table-refusal.ts";

const OF_EACH_ADD: readonly string[] = ["jobinfo", "jobkey"];

export class RefusedTables {
  readonly #answers: Answers;
  readonly #logger: Logger | null;
  /** By table; there are as many as the schema has. */
  readonly #refused = new Map<string, TableRefusal>();

  constructor(answers: Answers, logger: Logger | null) {
    this.#answers = answers;
    this.#logger = logger;
  }

  refused(said: string): void {
    const refusal = tableRefusalIn(said);
    if (refusal === null) return;
    const { table } = refusal;
    const why = `${said}; ${mendTable(refusal)}`;
    if (OF_EACH_ADD.includes(table)) this.#answers.refused(table, why);
    if (this.#refused.has(table)) return;
    this.#refused.set(table, refusal);
    this.#logger?.error({ table, why }, "MySQL refuses this node a table");
  }

  /** A statement that the server has carried out. */
  carriedOut(sql: string): void {
    if (this.#refused.size === 0) return;
    for (const [table, refusal] of this.#refused) {
      if (!hasDone(sql, refusal)) continue;
      this.#refused.delete(table);
      this.#answers.granted(table);
      this.#logger?.info({ table }, "MySQL lets this node use the table again");
    }
  }
}
