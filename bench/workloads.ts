/** Every workload there is, in the order in which they run. */
import type { Workload } from "./workload.ts";
import { bulkAdds, singleAdds } from "./workloads/adds.ts";
import { farFuture, farFutureMillions } from "./workloads/far-future.ts";
import { finishedRows, moreNodes, steadyDay } from "./workloads/growth.ts";
import { fewDelayed, lightLatency, loadedLatency, manyDelayed } from "./workloads/latency.ts";
import { endToEnd, endToEndWithTwo, processing, processingWithTwo } from "./workloads/throughput.ts";

/** `loadedRate`: half of the top rate of the machine. */
export function allWorkloads(loadedRate: number): readonly Workload[] {
  return [
    singleAdds,
    bulkAdds,
    processing,
    processingWithTwo,
    endToEnd,
    endToEndWithTwo,
    moreNodes,
    lightLatency,
    loadedLatency(loadedRate),
    fewDelayed,
    manyDelayed,
    farFuture,
    farFutureMillions,
    finishedRows,
    steadyDay,
  ];
}
