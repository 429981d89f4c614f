/** How the database goes about a statement: by which index, and over how many rows. */
import type { Read, SqlValue } from "../../../src/store/dialect.ts";
import type { Session } from "../../../src/store/mysql/connection-pool.ts";

export interface PlanRow {
  readonly table: string | null;
  readonly type: string;
  readonly key: string | null;
  readonly Extra: string | null;
}

export function explain(read: Read, sql: string, values: readonly SqlValue[]): Promise<PlanRow[]> {
  return read<PlanRow>(`EXPLAIN FORMAT=TRADITIONAL ${sql}`, values);
}

export async function planOf(
  session: Session,
  sql: string,
  values: readonly SqlValue[],
  table: string,
): Promise<PlanRow | undefined> {
  const rows = await explain(readOf(session), sql, values);
  return rows.find((row) => row.table === table);
}

/** The rows of a plan that speak of the tables of jobs, results, keys and the audit. */
export function ofOurTables(rows: readonly PlanRow[]): PlanRow[] {
  return rows.filter(({ table }) => /^job(info|result|key|audit)$/.test(table ?? ""));
}

/** Rows that the storage engine was asked for. */
export async function rowsRead(session: Session, work: (read: Read) => Promise<unknown>): Promise<number> {
  const total = async () => {
    const rows = await session.read<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read%'", []);
    return rows.reduce((sum, row) => sum + Number(row.Value), 0);
  };
  const read = readOf(session);
  await work(read);
  const before = await total();
  await work(read);
  return (await total()) - before;
}

export function readOf(session: Session): Read {
  return (sql, values) => session.read(sql, values);
}

/** A session whose writes are explained first. */
export function explaining(session: Session, plans: PlanRow[]): Session {
  return new Proxy(session, {
    get(target, name) {
      if (name !== "execute") return Reflect.get(target, name, target).bind?.(target);
      return async (sql: string, values: readonly SqlValue[]) => {
        plans.push(...ofOurTables(await explain(readOf(target), sql, values)));
        return target.execute(sql, values);
      };
    },
  });
}
