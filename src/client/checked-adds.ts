/**
 * A client that checks the payloads of what it adds by a contract. What is checked is what the handler will be given: the payload
 * after it has been JSON. It is added as it was given, and the node's schema makes defaults and dates of it.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { checkValue } from "../contract/check-value.ts";
import type { Contract } from "../contract/contract.ts";
import { quote } from "../core/errors.ts";
import { parseExact } from "../core/json/exact-numbers.ts";
import { nearestName } from "../core/nearest-name.ts";
import { startAdding } from "./adding.ts";
import type { AddOutcome, CallOptions, ElasticJobClient } from "./elastic-job-client.ts";
import type { AddJobInput } from "./job-json.ts";
import { inputText, valueText } from "./json-message.ts";

/** A secret stands there only on the node, which checks the payload with it. */
const SECRET = '"$secret"';

type Given = Partial<Pick<AddJobInput, "handler" | "payload" | "payloadJson">>;

export function withContract(
  client: ElasticJobClient,
  contract: Contract,
  defaultTimeoutMs: number,
): ElasticJobClient {
  /** Throws `invalid_argument`, with path and reason. */
  async function check(
    job: Given,
    { signal, timeoutMs = defaultTimeoutMs }: CallOptions = {},
  ): Promise<void> {
    const { handler = "", payload, payloadJson } = plainOf(job);
    const schema = Object.hasOwn(contract, handler) ? contract[handler]?.payload : undefined;
    if (schema === undefined) return;
    const text = payloadJson ?? valueText(payload);
    if (text?.includes(SECRET)) return;
    const limits = { limitMs: timeoutMs, signal: () => signal };
    const checked = await checkValue(schema, parsed(text), "payload", limits);
    if (checked.kind === "fits") return;
    const code =
      checked.kind === "unfit" ? Code.InvalidArgument : signal?.aborted ? Code.Canceled : Code.Internal;
    const cause = checked.kind === "broken" ? checked.cause : undefined;
    throw new ConnectError(`${handler}: ${checked.problem}`, code, undefined, undefined, cause);
  }

  const checked: ElasticJobClient = {
    ...client,
    add(handler, payload, options) {
      const added = Object.hasOwn(contract, handler) ? checked : { ...client, addJob: refuseName };
      return startAdding(added, { ...options, handler, payload });
    },
    async addJob(job) {
      await check(job);
      return client.addJob(job);
    },
    async addJobs(jobs, options) {
      const problems = await Promise.all(
        jobs.map((job) => check(job, options).then(() => null, ConnectError.from)),
      );
      const sent = await client.addJobs(
        jobs.filter((_, index) => problems[index] === null),
        options,
      );
      const outcomes = sent.values();
      return problems.map((error): AddOutcome => (error === null ? next(outcomes) : { error }));
    },
    async putJob(key, job, options) {
      await check(job, options);
      return client.putJob(key, job, options);
    },
    async updateJob(update, options) {
      const { payload, payloadJson } = update.job;
      // Whose payload it is otherwise, only the master knows: the node checks it.
      if (payload !== undefined || payloadJson !== undefined) await check(update.job, options);
      return client.updateJob(update, options);
    },
  };

  async function refuseName({ handler }: AddJobInput): Promise<never> {
    const nearest = nearestName(handler, Object.keys(contract));
    const meant = nearest === null ? "" : `; ${quote(nearest)} is`;
    throw new ConnectError(`handler: ${quote(handler)} is not in the contract${meant}`, Code.InvalidArgument);
  }

  return checked;
}

/** What becomes of it when it is sent; of what is no job, the client itself says what is wrong. */
function plainOf(job: Given): Given {
  if (typeof job !== "object" || job === null) return {};
  return "toJSON" in job ? (parseExact(inputText(job) ?? "{}") as Given) : job;
}

/** Undefined: nothing, or what is no JSON, which is refused when it is sent. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function next(outcomes: Iterator<AddOutcome>): AddOutcome {
  const { done, value } = outcomes.next();
  if (done === true)
    return { error: new ConnectError("the outcome of this job is not there", Code.Internal) };
  return value;
}
