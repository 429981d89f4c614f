/** What MySQL says of a table of ours that this account may not use, or that is gone. */

export interface TableRefusal {
  readonly table: string;
  /** What the account may not: "INSERT", "UPDATE", …; null: the table is gone. */
  readonly rights: readonly string[] | null;
}

const DENIED = /^([A-Z, ]+) command denied to user .* (?:for|in) table ([`'].*[`'])$/;
/** What no node needs to be allowed. */
const OF_MIGRATIONS: readonly string[] = ["CREATE", "ALTER", "INDEX"];
const GONE = /^Table '(.*)' doesn't exist/;

/** By its words, as its numbers name no table; null: they are others, as in another language. */
export function tableRefusalIn(said: string): TableRefusal | null {
  const [, gone] = GONE.exec(said) ?? [];
  if (gone !== undefined) return { table: bare(gone), rights: null };
  const [, rights, denied] = DENIED.exec(said) ?? [];
  if (rights === undefined || denied === undefined) return null;
  return { table: bare(denied), rights: rights.split(", ") };
}

/** What an operator has to do. */
export function mendTable(refusal: TableRefusal | null): string {
  if (refusal === null) return "grant this account the rights that docs/operating.md names";
  const { table, rights } = refusal;
  if (rights === null) return "restore it from a backup";
  if (rights.some((right) => OF_MIGRATIONS.includes(right))) {
    return "run elastic-job migrate with an account that may do that";
  }
  return `grant this account ${rights.join(", ")} on ${table}`;
}

/** Whether a statement that was carried out did there what had been refused. */
export function hasDone(sql: string, { table, rights }: TableRefusal): boolean {
  if (rights === null) return new RegExp(`\\b${table}\\b`).test(sql);
  return rights.every((right) => new RegExp(usesOf(right, table), "s").test(sql));
}

function usesOf(right: string, table: string): string {
  switch (right) {
    case "INSERT":
      return `\\bINTO ${table}\\b`;
    case "UPDATE":
      return `\\bUPDATE ${table}\\b|\\bINTO ${table}\\b.* ON DUPLICATE KEY UPDATE`;
    case "DELETE":
      return `\\bDELETE .*\\bFROM ${table}\\b`;
    default:
      return `\\b(FROM|JOIN) ${table}\\b`;
  }
}

/** Without its database. */
function bare(name: string): string {
  return name.replace(/^.*[.`'](?=\w)/, "").replace(/[`']/g, "");
}
