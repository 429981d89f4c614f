/**
 * What the jobs under a key were asked to be, as a digest for each field: some bytes beside the key, by which an add that
 * comes under it again is told from another one, and the fields named that differ.
 *
 * As bytes: the number of jobs, then for each field that is not at its default in all of them its number, whether it is the
 * same in all (1) or not (0), and the digest, or one for each job. 0 stands for the default. Nodes of other versions read
 * it: what is there may not change, and fields that are not known are kept apart from those that are.
 */
import { hash } from "node:crypto";
import { ElasticJobError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json/canonical-json.ts";
import { ASKED_FIELDS, PAYLOAD_FIELD } from "../../core/spec/asked-fields.ts";
import type { RawJobSpec } from "../../core/spec/raw-job-spec.ts";
import type { AddItem } from "../job-api.ts";

/** Two values of a field pass for the same once in 2^48 times. */
const DIGEST_BYTES = 6;
const COUNT_BYTES = 4;
const FIELD_BYTES = 2;
/** What is digested in one go: some milliseconds. */
const SLICE_JOBS = 1_000;
const SLICE_CHARACTERS = 1 << 20;

/** By the fields' numbers. Those at their default are left out. */
export type FieldDigests = ReadonlyMap<number, number>;

/** Of each job. */
export function digestFields(items: readonly AddItem[]): FieldDigests[] {
  // Jobs of a call have most of their fields in common.
  const known = new Map<string, number>();
  const digestOnce = (text: string) => {
    const digest = known.get(text) ?? digestOf(text);
    known.set(text, digest);
    return digest;
  };
  let last: { asked: RawJobSpec; digests: FieldDigests } | null = null;
  return items.map((item) => {
    const { asked } = item;
    if (last?.asked !== asked) last = { asked, digests: digestAllButPayload(asked, digestOnce) };
    const payload = payloadOf(item);
    return payload === null
      ? last.digests
      : new Map([...last.digests, [PAYLOAD_FIELD.number, digestOf(canonicalJson(payload))]]);
  });
}

/** The same, of as many as a call may have: between slices, others get their turn. */
export async function digestInTurns(
  items: readonly AddItem[],
  turn: () => Promise<void>,
): Promise<FieldDigests[]> {
  const digests: FieldDigests[] = [];
  let characters = 0;
  let first = 0;
  for (const [index, item] of items.entries()) {
    const size = payloadOf(item)?.length ?? 0;
    if (index > first && (index - first >= SLICE_JOBS || characters + size > SLICE_CHARACTERS)) {
      digests.push(...digestFields(items.slice(first, index)));
      await turn();
      first = index;
      characters = 0;
    }
    characters += size;
  }
  return [...digests, ...digestFields(items.slice(first))];
}

function digestAllButPayload(asked: RawJobSpec, digest: (text: string) => number): FieldDigests {
  const digests = new Map<number, number>();
  for (const { number, textOf } of ASKED_FIELDS) {
    const text = textOf(asked);
    if (text !== null) digests.set(number, digest(text));
  }
  return digests;
}

/** Jobs of a table share what was asked, and have payloads of their own. */
function payloadOf({ spec, asked }: AddItem): string | null {
  return (spec instanceof ElasticJobError ? asked.payload : spec.payload) ?? null;
}

function digestOf(text: string): number {
  return hash("sha256", text, "buffer").readUIntBE(0, DIGEST_BYTES) || 1;
}

export function encodeDigests(jobs: readonly FieldDigests[]): Uint8Array {
  const count = Buffer.alloc(COUNT_BYTES);
  count.writeUInt32BE(jobs.length);
  const parts = [count];
  const numbers = new Set(jobs.flatMap((digests) => [...digests.keys()]));
  for (const number of [...numbers].toSorted((a, b) => a - b)) {
    const each = jobs.map((digests) => digests.get(number) ?? 0);
    const isSame = each.every((digest) => digest === each[0]);
    const written = isSame ? each.slice(0, 1) : each;
    const bytes = Buffer.alloc(FIELD_BYTES + written.length * DIGEST_BYTES);
    bytes.writeUInt8(number, 0);
    bytes.writeUInt8(isSame ? 1 : 0, 1);
    for (const [i, digest] of written.entries()) {
      bytes.writeUIntBE(digest, FIELD_BYTES + i * DIGEST_BYTES, DIGEST_BYTES);
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Null: nothing is known of what came first. */
export function decodeDigests(bytes: Uint8Array): FieldDigests[] | null {
  if (bytes.byteLength === 0) return null;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const jobs = Array.from({ length: buffer.readUInt32BE(0) }, () => new Map<number, number>());
  let at = COUNT_BYTES;
  while (at < buffer.length) {
    const number = buffer.readUInt8(at);
    const isSame = buffer.readUInt8(at + 1) === 1;
    at += FIELD_BYTES;
    for (const [i, digests] of jobs.entries()) {
      const digest = buffer.readUIntBE(isSame ? at : at + i * DIGEST_BYTES, DIGEST_BYTES);
      if (digest !== 0) digests.set(number, digest);
    }
    at += (isSame ? 1 : jobs.length) * DIGEST_BYTES;
  }
  return jobs;
}

/** The names of the fields in which the two differ. */
export function differingFields(one: FieldDigests, other: FieldDigests = new Map()): string[] {
  const numbers = [...new Set([...one.keys(), ...other.keys()])].toSorted((a, b) => a - b);
  const names = numbers.filter((number) => one.get(number) !== other.get(number)).map(nameOf);
  return [...new Set(names)];
}

function nameOf(number: number): string {
  const field = [PAYLOAD_FIELD, ...ASKED_FIELDS].find((known) => known.number === number);
  // A node of a newer version stored it.
  return field?.name ?? "a field that this node's version does not know";
}
