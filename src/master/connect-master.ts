/**
 * Connects the parts of one mastership, from what it remembers up to what callers ask for: each is made of those above
 * it, and none is told of another later.
 */
import type { Network } from "../coordination/network.ts";
import { EndLog } from "../core/log/end-log.ts";
import { Queues } from "../core/queues/queues.ts";
import { BornClaimed } from "./adding/born-claimed.ts";
import { Children } from "./adding/children.ts";
import { explainAdded } from "./adding/explain-added.ts";
import { handlerRefusal } from "./adding/handler-refusal.ts";
import { IdBlocks } from "./adding/id-blocks.ts";
import { Intake } from "./adding/intake.ts";
import { JobInserter } from "./adding/job-inserter.ts";
import { KeyReader } from "./adding/key-reader.ts";
import type { MasterContext } from "./context.ts";
import { BeyondMemory } from "./control/beyond-memory.ts";
import { ClusterReader } from "./control/cluster-reader.ts";
import { Control } from "./control/control.ts";
import { JobReader } from "./control/job-reader.ts";
import { ZoneChange } from "./control/zone-change.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { Scheduler } from "./dispatch/scheduler.ts";
import { Endings } from "./ending/endings.ts";
import { FinalRows } from "./ending/final-rows.ts";
import { RetentionLoop } from "./ending/retention-loop.ts";
import { Sweep } from "./ending/sweep.ts";
import { ChangedJobs } from "./memory/changed-jobs.ts";
import { ClaimHolders } from "./memory/claim-holders.ts";
import { ClassRegistry } from "./memory/class-registry.ts";
import { InFlight } from "./memory/in-flight.ts";
import { JobMemory } from "./memory/job-memory.ts";
import { Pages } from "./memory/pages.ts";
import { Turn } from "./memory/turn.ts";
import { AbsentNodes } from "./nodes/absent-nodes.ts";
import { ConnectedNodes } from "./nodes/connected-nodes.ts";
import { KnownHandlers } from "./nodes/known-handlers.ts";
import { NodeClaims } from "./nodes/node-claims.ts";
import { NodeNumbers } from "./nodes/node-numbers.ts";
import { NodeSessions } from "./nodes/node-sessions.ts";
import { UnheardNodes } from "./nodes/unheard-nodes.ts";

export type ConnectedMaster = ReturnType<typeof connectMaster>;

export function connectMaster(context: MasterContext, network: Network) {
  const inFlight = new InFlight();
  const nodes = new ConnectedNodes();
  const ends = new EndLog(context);
  // memory
  const queues = new Queues();
  const turn = new Turn(context.clock);
  const changedJobs = new ChangedJobs();
  const holders = new ClaimHolders(queues);
  const pages = new Pages(context, { queues, holders, turn });
  const memory = new JobMemory({ queues, pages, changedJobs, turn });
  const classes = new ClassRegistry(context, (jobClass) => {
    pages.addEmptyClass(jobClass.id);
    nodes.classAdded(jobClass);
  });
  // ending
  const numbers = new NodeNumbers(context);
  const nodeIdOf = (number: number) => numbers.nodeIdOf(number);
  const finalRows = new FinalRows(context, { ends, nodeIdOf });
  const endings = new Endings(context, { memory, inFlight, holders, finalRows });
  const sweep = new Sweep(context, { classes, pages, queues, memory, inFlight, holders });
  // nodes
  const unheard = new UnheardNodes(context);
  const known = new KnownHandlers(context, nodes);
  const absent = new AbsentNodes(context, { network, numbers, holders, endings, unheard });
  const isRecovering = () => absent.areAwaited;
  const forgetHandlers = (before: number) => known.forget(before);
  const retention = new RetentionLoop(context, { classes, inFlight, isRecovering, forgetHandlers });
  const claims = new NodeClaims(context, { holders, memory, inFlight, endings });
  const sessions = new NodeSessions(context, {
    network,
    connected: nodes,
    absent,
    numbers,
    claims,
    holders,
    memory,
    classes,
    pages,
    endings,
    turn,
    unheard,
    known,
  });
  // adding
  const refusal = handlerRefusal(context, nodes, known);
  const explain = explainAdded(nodes, known);
  const ids = new IdBlocks(context);
  const bornClaimed = new BornClaimed(context, { memory, nodes, holders, endings });
  const keys = new KeyReader(context);
  const inserter = new JobInserter(context, { classes, memory, endings, bornClaimed });
  const intake = new Intake(context, { memory, ids, keys, inserter, refusal });
  const children = new Children(context, { memory, ids, keys, inserter, endings });
  // dispatch and control
  const dispatcher = new Dispatcher(context, {
    memory,
    inFlight,
    holders,
    nodes,
    endings,
    children,
    pages,
    turn,
  });
  const scheduler = new Scheduler(context, { queues, dispatcher, turn });
  const control = new Control(context, {
    memory,
    inFlight,
    holders,
    classes,
    sessions,
    endings,
    children,
    finalRows,
    refusal,
  });
  const zoneChange = new ZoneChange(context, control);
  const reader = new JobReader(context, { nodes, known, changedJobs });
  const clusterReader = new ClusterReader(context, { queues, nodes, holders });
  const beyondMemory = new BeyondMemory(context, { classes, pages });
  return {
    inFlight,
    nodes,
    ends,
    pages,
    classes,
    numbers,
    sweep,
    unheard,
    known,
    retention,
    sessions,
    explain,
    ids,
    intake,
    children,
    scheduler,
    control,
    zoneChange,
    reader,
    clusterReader,
    beyondMemory,
  };
}
