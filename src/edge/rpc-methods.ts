import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ClusterService } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../gen/elasticjob/v1/job_service_pb.ts";

/** A method that the edge passes on. NodeService is between nodes, and never here. */
export interface EdgeMethod {
  readonly name: string;
  /** The path on the node, for example `/elasticjob.v1.JobService/AddJob`. */
  readonly path: string;
  readonly streams: boolean;
  /** Adds are told apart by their `Idempotency-Key`. */
  readonly adds: boolean;
  readonly readsOnly: boolean;
  /** By GET, what only reads has its request in the query, as Connect has it; and a watch is answered with events. */
  readonly byGet: "answer" | "events" | null;
}

const SERVICES = [JobService, ClusterService];
// A trigger adds a job, too.
const ADDS = new Set(["AddJob", "AddJobs", "TriggerJob"]);

/** The methods by the paths that callers use: with the package's name, or without. */
export function edgeMethods(): ReadonlyMap<string, EdgeMethod> {
  const methods = new Map<string, EdgeMethod>();
  for (const service of SERVICES) {
    for (const method of service.methods) {
      // Requests that wait for answers on the same stream need HTTP/2 from end to end.
      if (method.methodKind === "bidi_streaming") continue;
      const edgeMethod = describe(method, `/${service.typeName}/${method.name}`);
      methods.set(edgeMethod.path, edgeMethod);
      methods.set(`/${service.name}/${method.name}`, edgeMethod);
    }
  }
  return methods;
}

function describe({ name, methodKind, idempotency }: DescMethod, path: string): EdgeMethod {
  const streams = methodKind !== "unary";
  // What the proto does not call free of effects counts as a write: a method added later is not retried by accident.
  const readsOnly = idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const byGet = readsOnly ? (streams ? "events" : "answer") : null;
  return { name, path, streams, adds: ADDS.has(name), readsOnly, byGet };
}
