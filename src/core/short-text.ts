/** A text of others for a message or a log line, cut where it would flood that. */
export function shorten(text: string, mostCharacters: number): string {
  if (text.length <= mostCharacters) return text.toWellFormed();
  return `${text.slice(0, mostCharacters).toWellFormed()}…`;
}
