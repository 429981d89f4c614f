/** How addresses stand in Redis. What another version or a person wrote there may be anything. */
import * as z from "zod";
import type { MasterAddress, NodeAnnouncement } from "../cluster-lock.ts";

const node = z.object({ address: z.string(), nodeId: z.string(), incarnation: z.string() });
/** A master as the hash has it: there the epoch is text. */
const master = node.extend({ epoch: z.coerce.number().int().positive(), cluster: z.string() });

/** The hash's fields, in the order in which `decodeMasterFields` takes their values. */
export const MASTER_FIELDS = ["address", "nodeId", "incarnation", "epoch", "cluster"] as const;

/** Field, value, field, value, … */
export function encodeMasterFields(address: MasterAddress): string[] {
  return MASTER_FIELDS.flatMap((field) => [field, String(address[field])]);
}

/** null: it is not there, or cannot be read. */
export function decodeMasterFields(values: unknown): MasterAddress | null {
  if (!Array.isArray(values)) return null;
  const fields = Object.fromEntries(MASTER_FIELDS.map((field, index) => [field, values[index]]));
  return master.safeParse(fields).data ?? null;
}

/** null: nobody is master any more. */
export function encodeAnnouncement(address: MasterAddress | null): string {
  return JSON.stringify(address, [...MASTER_FIELDS]);
}

/** undefined: it cannot be read. */
export function decodeAnnouncement(text: string): MasterAddress | null | undefined {
  return decode(master.nullable(), text);
}

export function encodeNode(announcement: NodeAnnouncement): string {
  return JSON.stringify(announcement, Object.keys(node.shape));
}

export function decodeNode(text: string): NodeAnnouncement | undefined {
  return decode(node, text);
}

function decode<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
