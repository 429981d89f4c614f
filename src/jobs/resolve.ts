import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup } from "node:dns/promises";

/** All addresses of a name, in the order in which they are to be tried; of an address, itself. */
export type Resolve = (host: string, options?: LookupOptions) => Promise<LookupAddress[]>;

export const resolveBySystem: Resolve = (host, options) => lookup(host, { ...options, all: true });

/** Whether DNS says that there is no such name, and not that it can't tell. */
export function isUnknownName(error: unknown): boolean {
  return error instanceof Error && "code" in error && ["ENOTFOUND", "ENODATA"].includes(String(error.code));
}
