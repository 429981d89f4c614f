import { invalidArgument } from "../../core/errors.ts";
import { FIELD_RANGES } from "../../core/spec/field-ranges.ts";

const { most: MAX_PAGE_SIZE } = FIELD_RANGES.pageSize;
const DEFAULT_PAGE_SIZE = 100;

/** 0, which is also "not set", is the default. */
export function pageSizeOf(pageSize: number): number {
  if (pageSize >= 0 && pageSize <= MAX_PAGE_SIZE) return pageSize || DEFAULT_PAGE_SIZE;
  const message = `is ${pageSize}; 1 to ${MAX_PAGE_SIZE} is accepted, and 0 means ${DEFAULT_PAGE_SIZE}`;
  throw invalidArgument([{ field: "pageSize", message }]);
}
