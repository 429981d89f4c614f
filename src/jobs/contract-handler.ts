/** A handler that is given what the schema of its payload makes of it, and whose return its output's schema makes into the output. */
import { type Checked, checkValue } from "../contract/check-value.ts";
import type { HandlerContract } from "../contract/contract.ts";

/** Of a schema that answers later, as one that asks a database. */
export const SCHEMA_LIMIT_MS = 5_000;

/** How the checks fail a job. */
class ContractError extends Error {
  override readonly name: string;
  /** See PermanentError. */
  readonly isPermanent: boolean;

  constructor(
    name: string,
    message: string,
    given: { readonly isPermanent: boolean; readonly cause?: unknown },
  ) {
    super(message, given.cause === undefined ? {} : { cause: given.cause });
    this.name = name;
    this.isPermanent = given.isPermanent;
  }
}

export function contractHandler<
  Job extends { readonly payload: unknown },
  Context extends { readonly signal: AbortSignal },
>(
  name: string,
  contract: HandlerContract,
  handler: (payload: unknown, ctx: Context & { readonly job: Job }) => unknown,
): ((job: Job, ctx: Context) => unknown) & { readonly contract: HandlerContract } {
  const { payload, output } = contract;
  const called = async (job: Job, ctx: Context) => {
    const limits = { limitMs: SCHEMA_LIMIT_MS, signal: () => ctx.signal };
    const given =
      payload === undefined
        ? job.payload
        : fittingPayload(name, await checkValue(payload, job.payload, "payload", limits));
    const returned = await handler(given, Object.assign(ctx, { job }));
    return output === undefined
      ? returned
      : fittingOutput(name, await checkValue(output, returned, "output", limits));
  };
  return Object.assign(called, { contract });
}

function fittingPayload(name: string, checked: Checked): unknown {
  if (checked.kind === "fits") return checked.value;
  const message = `${name}: ${checked.problem}`;
  if (checked.kind === "unfit") throw new ContractError("PayloadError", message, { isPermanent: true });
  // Nothing has been done yet, and the schema may answer another time.
  throw new ContractError("SchemaError", message, { isPermanent: false, cause: checked.cause });
}

/** The handler has done its work: a retry would only do it again. */
function fittingOutput(name: string, checked: Checked): unknown {
  if (checked.kind === "fits") return checked.value;
  const message = `${name}: ${checked.problem}`;
  if (checked.kind === "unfit") throw new ContractError("OutputError", message, { isPermanent: true });
  throw new ContractError("SchemaError", message, { isPermanent: true, cause: checked.cause });
}
