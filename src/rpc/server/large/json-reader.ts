/**
 * Walks JSON text member by member, without making anything of the values: each is only passed over. What is passed over
 * is not checked, and has to be parsed by whoever wants it.
 */
import { endOfString } from "../../../core/json/json-strings.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export class JsonReader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Where the next value begins. */
  skipSpace(): number {
    while (isSpace(this.text.charCodeAt(this.at))) this.at++;
    return this.at;
  }

  nextIsObject(): boolean {
    return this.text.charCodeAt(this.skipSpace()) === OPEN_OBJECT;
  }

  nextIsList(): boolean {
    return this.text.charCodeAt(this.skipSpace()) === OPEN_LIST;
  }

  /** Each name of an object, and where its member begins. Whoever does not read the value leaves it to be passed over. */
  *members(): Generator<{ readonly name: string; readonly start: number }, void, undefined> {
    this.expect(OPEN_OBJECT, "{");
    if (this.takes(CLOSE_OBJECT)) return;
    do {
      const start = this.skipSpace();
      const name = this.string();
      this.expect(COLON, ":");
      const value = this.skipSpace();
      yield { name, start };
      if (this.at === value) this.skipValue();
    } while (this.takes(COMMA));
    this.expect(CLOSE_OBJECT, "}");
  }

  /** Each place of a list. */
  *items(): Generator<void, void, undefined> {
    this.expect(OPEN_LIST, "[");
    if (this.takes(CLOSE_LIST)) return;
    do {
      const value = this.skipSpace();
      yield;
      if (this.at === value) this.skipValue();
    } while (this.takes(COMMA));
    this.expect(CLOSE_LIST, "]");
  }

  /** Passes over the value that comes next. */
  skipValue(): void {
    const { text } = this;
    const first = text.charCodeAt(this.skipSpace());
    if (first === QUOTE) {
      this.at = endOfString(text, this.at);
    } else if (first === OPEN_OBJECT || first === OPEN_LIST) {
      this.at = endOfNested(text, this.at);
    } else {
      const start = this.at;
      while (this.at < text.length && !isEnd(text.charCodeAt(this.at))) this.at++;
      if (this.at === start) throw this.unexpected("a value");
    }
  }

  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected("the end");
  }

  private string(): string {
    if (this.text.charCodeAt(this.at) !== QUOTE) throw this.unexpected("a name");
    const end = endOfString(this.text, this.at);
    const name = JSON.parse(this.text.slice(this.at, end)) as string;
    this.at = end;
    return name;
  }

  private takes(code: number): boolean {
    if (this.text.charCodeAt(this.skipSpace()) !== code) return false;
    this.at++;
    return true;
  }

  private expect(code: number, what: string): void {
    if (!this.takes(code)) throw this.unexpected(what);
  }

  private unexpected(what: string): SyntaxError {
    const found = this.at < this.text.length ? JSON.stringify(this.text[this.at]) : "the end";
    return new SyntaxError(`${found} at position ${this.at}, where ${what} is expected`);
  }
}

function endOfNested(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && --depth === 0) return at + 1;
  }
  return text.length;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isEnd(code: number): boolean {
  return code === COMMA || code === CLOSE_OBJECT || code === CLOSE_LIST || isSpace(code);
}
