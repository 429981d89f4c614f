import type { MasterAddress } from "../../../src/coordination/cluster-lock.ts";
import type { RoleNow } from "../../../src/master/election/role.ts";
import type { Credentials } from "../../../src/rpc/credentials.ts";
import type { RpcLimits } from "../../../src/rpc/limits.ts";
import type { OnePortServer } from "../../../src/rpc/server/one-port-server.ts";
import { createRpcServer } from "../../../src/rpc/server/serve.ts";
import { type ListStore, listStore } from "./list-store.ts";
import { type MemoryJobApi, memoryJobApi } from "./memory-job-api.ts";
import { realClock, realRandom, recordingLogger } from "./real-time.ts";
import { settableRole } from "./settable-role.ts";

export interface TestNode {
  readonly port: number;
  readonly address: string;
  readonly url: string;
  readonly api: MemoryJobApi;
  readonly list: ListStore;
  readonly role: ReturnType<typeof settableRole>;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly server: OnePortServer;
  /** What others know of it when it is master. */
  readonly asMaster: MasterAddress;
  becomeMaster(api?: MemoryJobApi): void;
}

const running = new Set<OnePortServer>();

/** A real server on a free port. Master at first, unless told otherwise. */
export async function startNode(
  options: {
    role?: RoleNow;
    api?: MemoryJobApi;
    limits?: Partial<RpcLimits>;
    credentials?: Credentials;
  } = {},
): Promise<TestNode> {
  const api = options.api ?? memoryJobApi();
  const list = listStore(() => api.jobs.values());
  const role = settableRole(options.role ?? { kind: "master", api, epoch: 7 });
  const logger = recordingLogger();
  const identity = { incarnation: realRandom.id(), nodeId: `node-${realRandom.id().slice(0, 4)}` };
  let address = "";
  const server = createRpcServer({
    role,
    store: list.store,
    clock: realClock,
    random: realRandom,
    logger,
    identity,
    address: () => address,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  const port = await server.listen("127.0.0.1", 0);
  address = `127.0.0.1:${port}`;
  running.add(server);
  return {
    port,
    address,
    url: `http://${address}`,
    api,
    list,
    role,
    logger,
    server,
    asMaster: { address, ...identity, epoch: 7 },
    becomeMaster: (next = api) => role.set({ kind: "master", api: next, epoch: 8 }),
  };
}

export async function stopNodes(): Promise<void> {
  await Promise.all([...running].map((server) => server.close(100)));
  running.clear();
}
