/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";
import { PEERS, type Peer } from "./contender.ts";
import type { Size, Workload } from "./workload.ts";
import { allWorkloads } from "./workloads.ts";

export interface Options {
  readonly workloads: readonly Workload[];
  readonly peers: readonly Peer[];
  readonly size: Size;
  readonly rounds: number;
  /** Ours once more, with a token and TLS. */
  readonly secure: boolean;
  readonly binlog: boolean;
  readonly statements: boolean;
  readonly mysqld: string | null;
  readonly profileFolder: string | null;
  readonly json: string | null;
}

export const USAGE = `npm run bench -- [options]
  --only a,b         these workloads (default: all)
  --against a,b      these peers of bullmq, graphile-worker, pg-boss; none: ours alone (default: all)
  --rounds n         rounds, in which contenders take turns (default 3)
  --full             the large sizes; takes hours
  --loaded-rate n    jobs a second of latency-loaded (default 5000)
  --secure           ours once more, with a token and TLS, in turn; alone unless --against, with adds and processing unless --only
  --binlog           the database with its binary log on, synced at each commit
  --mysqld path      this mariadbd or mysqld (default: the one that is installed)
  --statements       also what each statement costs the database (which slows it)
  --profile folder   CPU profiles of master and nodes, in this folder
  --json file        all figures, as JSON
Workloads:
${allWorkloads(5_000)
  .map(({ name, meaning }) => `  ${name.padEnd(18)} ${meaning}`)
  .join("\n")}`;

/** Streams, batches, and what nodes say to each other. Others call nodes by themselves, without a token. */
const SECURE_WORKLOADS = ["single-adds", "bulk-adds", "processing"];

export class UsageError extends Error {}

export function parseOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      against: { type: "string" },
      rounds: { type: "string", default: "3" },
      full: { type: "boolean", default: false },
      "loaded-rate": { type: "string", default: "5000" },
      secure: { type: "boolean", default: false },
      binlog: { type: "boolean", default: false },
      statements: { type: "boolean", default: false },
      mysqld: { type: "string" },
      profile: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const workloads = allWorkloads(whole("--loaded-rate", values["loaded-rate"]));
  const names = workloads.map(({ name }) => name);
  const all = values.secure ? SECURE_WORKLOADS : names;
  const only = values.only === undefined ? all : listOf("--only", values.only, names);
  const against = values.against ?? (values.secure ? "none" : undefined);
  return {
    workloads: workloads.filter(({ name }) => only.includes(name)),
    peers:
      against === "none"
        ? []
        : against === undefined
          ? PEERS
          : PEERS.filter((peer) => listOf("--against", against, PEERS).includes(peer)),
    size: values.full ? "full" : "quick",
    rounds: whole("--rounds", values.rounds),
    secure: values.secure,
    binlog: values.binlog,
    statements: values.statements,
    mysqld: values.mysqld ?? null,
    profileFolder: values.profile ?? null,
    json: values.json ?? null,
  };
}

function listOf(option: string, text: string, known: readonly string[]): string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`${option}: there is no ${unknown}; there are ${known.join(", ")}`);
  return names;
}

function whole(option: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`${option}: "${text}" is no whole number above 0`);
  return Number(text);
}
