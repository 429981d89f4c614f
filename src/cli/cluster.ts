import type { Command } from "commander";
import type { Cluster } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { GetClusterResponseSchema } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { formatFields, formatTable } from "./table.ts";

type ClusterNode = Cluster["nodes"][number];

const NOTES = `
The jobs are those in the master's memory; waiting ones are there only when they are due within HORIZON_MS. What lies
beyond is counted in the database, within bounds: jobs that are due and that no node can take, and jobs of later.
Where an add would not be answered now, the line "ready" says why, as /readyz does.

Examples:
  elastic-job cluster
  elastic-job cluster --json`;

/** The count ends there. */
const MAX_LATER = 10_000;

// What may be long stands last.
const HEADER = ["NODE", "ADDRESS", "STATE", "SLOTS", "CPU", "FREE MEMORY", "HANDLERS", "LABELS"];

export function clusterCommand(env: Environment): Command {
  return clientCommand(env, "cluster", "show the master, its jobs and its nodes")
    .addHelpText("after", NOTES)
    .action(async (options: ClientCommandOptions) => {
      const cluster = await connect(options).getCluster();
      if (options.json) printAnswer(GetClusterResponseSchema, cluster);
      else print(clusterText(cluster));
    });
}

function clusterText(cluster: Cluster): string {
  const { masterNodeId, masterAddress, epoch, waiting, prepared, running, stuck, later, notReady } = cluster;
  const fields = formatFields([
    ["master", masterNodeId],
    ["address", masterAddress],
    ["epoch", String(epoch)],
    ["ready", notReady === "" ? "" : `no: ${notReady}`],
    ["jobs", `${waiting} waiting, ${prepared} prepared, ${running} running`],
    ["stuck", stuck ? `${stuck} due, and no connected node can take ${stuck === 1 ? "it" : "them"}` : ""],
    ["later", later ? `${later >= MAX_LATER ? "at least " : ""}${later} due beyond HORIZON_MS` : ""],
  ]);
  // They come in the order of their connecting, which a failover shuffles.
  const nodes = cluster.nodes.toSorted((a, b) => a.nodeId.localeCompare(b.nodeId, "en", { numeric: true }));
  const table =
    nodes.length === 0
      ? "no nodes are connected"
      : formatTable(
          HEADER,
          nodes.map((node) => row(node, node.nodeId === masterNodeId)),
        );
  return `${fields}\n\n${table}`;
}

function row(node: ClusterNode, isMaster: boolean): string[] {
  return [
    node.nodeId,
    node.address,
    [...(isMaster ? ["master"] : []), ...(node.draining ? ["draining"] : [])].join(", "),
    `${node.usedSlots}/${node.slots}`,
    `${Math.round(node.cpu * 100)}%`,
    `${node.freeMemoryMb} MiB`,
    node.handlers.join(","),
    Object.entries(node.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
  ];
}
