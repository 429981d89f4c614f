/**
 * Reads what a TZif file (RFC 9636) says of a zone: its recorded changes and the rule after them. Versions 2 and later
 * have everything a second time in 64 bits, which is what is read of them. Names and leap seconds are not needed.
 */
import { type Change, type PosixRule, parsePosixRule } from "./posix-rule.ts";

export interface ZoneRules {
  /** Before the first change. */
  readonly firstOffsetMs: number;
  /** In order; each changes the offset. */
  readonly changes: readonly Change[];
  /** Null: nothing changes any more. */
  readonly rule: PosixRule | null;
  /** The rule holds from the last entry on, which may have changed only the name of the time. */
  readonly ruleFrom: number;
}

const HEADER_BYTES = 44;
/** What a Date can carry; files made the fat way begin at the Big Bang. */
const FIRST_SECOND = -8.64e12;

/** Throws what is wrong with the file. */
export function parseTzif(bytes: Uint8Array): ZoneRules {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = readHeader(view, 0);
  if (first.version === 1) return readBlock(view, HEADER_BYTES, first, 4).rules;
  const start = HEADER_BYTES + blockBytes(first, 4);
  const header = readHeader(view, start);
  const { rules, end } = readBlock(view, start + HEADER_BYTES, header, 8);
  const footer = new TextDecoder("ascii").decode(bytes.subarray(end));
  const [, text] = /^\n([^\n]*)\n/.exec(footer) ?? [];
  if (text === undefined) throw new Error("its footer is missing");
  const rule = text === "" ? null : parsePosixRule(text);
  if (text !== "" && rule === null) throw new Error(`its footer is no rule: ${JSON.stringify(text)}`);
  return { ...rules, rule };
}

interface Header {
  readonly version: number;
  readonly utcFlags: number;
  readonly standardFlags: number;
  readonly leaps: number;
  readonly times: number;
  readonly types: number;
  readonly characters: number;
}

function readHeader(view: DataView, at: number): Header {
  if (at + HEADER_BYTES > view.byteLength || view.getUint32(at) !== 0x545a6966) {
    throw new Error("it is no TZif file");
  }
  const mark = view.getUint8(at + 4);
  const count = (index: number) => view.getUint32(at + 20 + index * 4);
  return {
    version: mark === 0 ? 1 : mark - 0x30,
    utcFlags: count(0),
    standardFlags: count(1),
    leaps: count(2),
    times: count(3),
    types: count(4),
    characters: count(5),
  };
}

function blockBytes(header: Header, timeBytes: number): number {
  return (
    header.times * (timeBytes + 1) +
    header.types * 6 +
    header.characters +
    header.leaps * (timeBytes + 4) +
    header.standardFlags +
    header.utcFlags
  );
}

function readBlock(view: DataView, at: number, header: Header, timeBytes: 4 | 8) {
  // With them, its instants count leap seconds, as those of the folder "right" do.
  if (header.leaps > 0) throw new Error("it has leap seconds");
  const end = at + blockBytes(header, timeBytes);
  if (end > view.byteLength) throw new Error("it is cut off");
  if (header.types === 0) throw new Error("it has no type of local time");
  const indices = at + header.times * timeBytes;
  const types = indices + header.times;
  const offsetMsOf = (type: number) => {
    if (type >= header.types) throw new Error("it names a type of local time that it has not");
    return view.getInt32(types + type * 6) * 1000;
  };
  const changes: Change[] = [];
  const firstOffsetMs = offsetMsOf(0);
  let offsetMs = firstOffsetMs;
  let before = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < header.times; index++) {
    const place = at + index * timeBytes;
    const second = timeBytes === 8 ? Number(view.getBigInt64(place)) : view.getInt32(place);
    if (second <= before) throw new Error("its changes are not in order");
    before = second;
    const next = offsetMsOf(view.getUint8(indices + index));
    // Only the name of the time, or what is called summer, may change.
    if (next !== offsetMs) changes.push({ at: Math.max(second, FIRST_SECOND) * 1000, offsetMs: next });
    offsetMs = next;
  }
  const ruleFrom = Math.max(before, FIRST_SECOND) * 1000;
  return { rules: { firstOffsetMs, changes, rule: null, ruleFrom }, end };
}
