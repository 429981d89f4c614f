/** A table's columns as one list: which there are, and how each is read from the record that a row is made of. */
import type { SqlValue } from "./dialect.ts";

/** Reads the value of one column. `epoch` is that of the master that writes the row. */
export type ReadColumn<Record> = (record: Record, epoch: number) => SqlValue;

/** What a row is, as the list of its columns has it. */
export type RowOf<Columns extends Readonly<Record<string, ReadColumn<never>>>> = {
  readonly [Name in keyof Columns]: ReturnType<Columns[Name]>;
};

/** Appends the values of a row: a batch becomes one flat list. */
export function pushValues<Record>(
  values: SqlValue[],
  columns: readonly ReadColumn<Record>[],
  record: Record,
  epoch: number,
): void {
  for (const read of columns) values.push(read(record, epoch));
}
