/** INSERTs of many rows: prepared where the number of rows is a common one, else as text. */
import type { SqlValue } from "../dialect.ts";
import type { Session, WriteOutcome } from "./connection-pool.ts";
import { FENCED_EPOCH } from "./fence.ts";

/** The protocol's limit. */
const MOST_PLACEHOLDERS = 65_535;

export interface InsertTarget {
  readonly table: string;
  readonly columns: readonly string[];
  /** Columns with one value, as SQL, in all rows: a bound value costs more than all that the server does with it. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Whether the first row carries the fence in its `epoch`. */
  readonly fenced: boolean;
  /** Up to so many rows, each number is prepared: those who write it send any; default: few numbers are. */
  readonly allPreparedTo?: number;
}

/** The texts by number of rows, for one target. */
export class MultiRowInsert {
  private readonly head: string;
  private readonly firstRow: string;
  private readonly nextRow: string;
  /** Bound values of a row. */
  private readonly width: number;
  private readonly allPreparedTo: number;
  private readonly prepared = new Map<number, string>();

  constructor({ table, columns, fixed = {}, fenced, allPreparedTo = 0 }: InsertTarget) {
    const row = columns.map((column) => fixed[column] ?? "?");
    this.head = `INSERT INTO ${table} (${columns.join(", ")}) VALUES `;
    this.allPreparedTo = allPreparedTo;
    this.width = row.filter((value) => value === "?").length;
    this.nextRow = `(${row.join(", ")})`;
    this.firstRow = fenced
      ? `(${row.with(columns.indexOf("epoch"), FENCED_EPOCH).join(", ")})`
      : this.nextRow;
  }

  /** One statement for all rows, whose values follow each other in `values`. */
  run(session: Session, values: readonly SqlValue[]): Promise<WriteOutcome> {
    const rows = values.length / this.width;
    const isPrepared = rows <= this.allPreparedTo || isPreparedSize(rows);
    if (values.length > MOST_PLACEHOLDERS || !isPrepared) {
      return session.query(this.text(rows), values);
    }
    return session.execute(this.preparedText(rows), values);
  }

  text(rows: number): string {
    return this.head + this.firstRow + `, ${this.nextRow}`.repeat(rows - 1);
  }

  private preparedText(rows: number): string {
    let sql = this.prepared.get(rows);
    if (sql === undefined) {
      sql = this.text(rows);
      this.prepared.set(rows, sql);
    }
    return sql;
  }
}

/** Few sizes, as the server keeps each text: small ones, powers of two, some between them, and full batches. */
function isPreparedSize(rows: number): boolean {
  return (
    rows <= 8 ||
    (rows & (rows - 1)) === 0 ||
    (rows <= 128 && rows % 4 === 0) ||
    (rows <= 1000 && rows % 100 === 0)
  );
}

/** The largest such size that is at most `rows`. */
export function largestPreparedSize(rows: number): number {
  let size = rows;
  while (!isPreparedSize(size)) size--;
  return size;
}
