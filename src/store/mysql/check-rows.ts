/**
 * Rows that MySQL would refuse are found before they are sent in a transaction: it stops at the row that it refuses,
 * and the transaction keeps its locks, of which one is on the mastership's row, until it is rolled back from here.
 */
import { ElasticJobError } from "../../core/errors.ts";
import type { SqlValue } from "../dialect.ts";
import type { JobColumn } from "../job-row.ts";
import type { JobKey } from "../job-store.ts";

type Check = (value: SqlValue) => boolean;

const isInteger = (least: number, most: number): Check => {
  return (value) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
};
const isTextOf = (isShort: (text: string) => boolean): Check => {
  return (value) => typeof value === "string" && isShort(value);
};
/** No UTF-16 unit takes more than 3 bytes. */
const fits = (text: string, bytes: number) => text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;

const TINYINT = { says: "-128 to 127", takes: isInteger(-128, 127) };
const SMALLINT = { says: "-32768 to 32767", takes: isInteger(-32_768, 32_767) };
const INT = { says: "-2147483648 to 2147483647", takes: isInteger(-2_147_483_648, 2_147_483_647) };
const UNSIGNED = { says: "0 to 4294967295", takes: isInteger(0, 4_294_967_295) };
/** A number beyond is rounded in JavaScript already. */
const BIGINT = {
  says: "an integer below 2^53",
  takes: isInteger(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
};
const NAME = {
  says: "up to 255 characters",
  takes: isTextOf((text) => text.length <= 255 || (text.length <= 510 && [...text].length <= 255)),
};
const TEXT = { says: "up to 65535 bytes", takes: isTextOf((text) => fits(text, 65_535)) };
const PAYLOAD = {
  says: "up to 16777215 bytes, or none",
  takes: (value: SqlValue) => value === null || isTextOf((text) => fits(text, 16_777_215))(value),
};

/** What each column of `jobinfo` takes. */
const COLUMNS: Readonly<Record<JobColumn, { readonly says: string; readonly takes: Check }>> = {
  id: BIGINT,
  class: INT,
  at: BIGINT,
  status: TINYINT,
  claim: UNSIGNED,
  attempt: INT,
  failures: INT,
  lost: INT,
  revision: INT,
  node: INT,
  epoch: BIGINT,
  parent_id: BIGINT,
  scheduled_at: BIGINT,
  ended_at: BIGINT,
  create_time: BIGINT,
  update_time: BIGINT,
  priority: SMALLINT,
  name: NAME,
  spec: TEXT,
  payload: PAYLOAD,
};

/** `values`: those of these columns, row after row. */
export function checkJobRows(columns: readonly JobColumn[], values: readonly SqlValue[]): void {
  const checks = columns.map((name) => ({ name, ...COLUMNS[name] }));
  for (let row = 0; row < values.length; row += checks.length) {
    for (const [index, { name, says, takes }] of checks.entries()) {
      const value = values[row + index];
      if (value === undefined || !takes(value)) throw refused(`jobinfo.${name}`, value, says);
    }
  }
}

const LONGEST_KEY = 255;
const LONGEST_DIGEST = 16_777_215;

export function checkKeys(keys: readonly JobKey[]): void {
  for (const { key, jobId, digest } of keys) {
    if (!fits(key, LONGEST_KEY)) throw refused("jobkey.k", key, `up to ${LONGEST_KEY} bytes`);
    if (!BIGINT.takes(jobId)) throw refused("jobkey.job_id", jobId, BIGINT.says);
    const bytes = digest?.byteLength ?? 0;
    if (bytes > LONGEST_DIGEST) throw refused("jobkey.digest", bytes, `up to ${LONGEST_DIGEST} bytes`);
  }
}

function refused(column: string, value: unknown, says: string): ElasticJobError {
  const shown = typeof value === "string" ? `text of ${Buffer.byteLength(value)} bytes` : String(value);
  return new ElasticJobError("invalid_argument", `${column}: ${shown} is not accepted; ${says} is`);
}
