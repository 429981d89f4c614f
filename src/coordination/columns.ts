/** Messages that hold many alike things as a table: a list for each field. */

/** A field's list; empty when it is the usual value in every row. */
export function column<Row, Value>(
  rows: readonly Row[],
  valueOf: (row: Row) => Value,
  usual: Value,
): Value[] {
  const values = rows.map(valueOf);
  return values.every((value) => value === usual) ? [] : values;
}

/** The texts of a table, each once. */
export class TextColumns {
  readonly all: string[] = [];
  private readonly places = new Map<string, number>();

  placeOf(text: string): number {
    let place = this.places.get(text);
    if (place === undefined) {
      place = this.all.push(text) - 1;
      this.places.set(text, place);
    }
    return place;
  }
}
