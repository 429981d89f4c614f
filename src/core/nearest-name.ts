/** Of names that are compared with a wrong one, to say which was probably meant. */

/** Further off than this, a suggestion would only confuse. */
export function mostDistance(asked: string): number {
  return Math.max(1, Math.floor(asked.length / 3));
}

/** The nearest of the names, in any case; null: none is near. */
export function nearestName(asked: string, names: Iterable<string>): string | null {
  const wanted = asked.toLowerCase();
  let nearest: string | null = null;
  let least = mostDistance(wanted) + 1;
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < least) {
      nearest = name;
      least = distance;
    }
  }
  return nearest;
}

/** Levenshtein's: how many characters to insert, delete or replace. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, fromChar] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, toChar] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (fromChar === toChar ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
