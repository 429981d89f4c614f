/** What happens to containers, and what must come of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "./docker.ts";
import { type Stack, until } from "./stack.ts";

export interface Fault {
  readonly title: string;
  /** Returns what there is to tell. */
  readonly run: (stack: Stack) => Promise<string>;
}

export const LOCK_TTL_MS = 3_000;
/** A master that is gone without a word: its time to live, and a second to notice and to load. */
const TAKEOVER_LIMIT_MS = LOCK_TTL_MS + 1_000;
const OUTAGE_MS = 5_000;
const RECOVERY_LIMIT_MS = 30_000;

async function masterGoes(
  stack: Stack,
  how: (container: string) => Promise<unknown>,
): Promise<[string, string]> {
  const container = await stack.masterContainer();
  const ms = await stack.takeoverAfter(() => how(container), RECOVERY_LIMIT_MS);
  const told = `another master after ${Math.round(ms)} ms`;
  if (ms > TAKEOVER_LIMIT_MS) throw new Error(`${told}; at most ${TAKEOVER_LIMIT_MS} are allowed`);
  return [container, told];
}

async function serviceOutage(stack: Stack, service: string): Promise<string> {
  const container = await stack.onlyContainer(service);
  await docker("kill", container);
  await sleep(OUTAGE_MS);
  await docker("start", container);
  const startedAt = performance.now();
  await until("add that is answered", RECOVERY_LIMIT_MS, async () => {
    await stack.call("AddJob", { handler: "echo" }, RECOVERY_LIMIT_MS);
    return true;
  });
  return `out for ${OUTAGE_MS} ms; adds are answered ${Math.round(performance.now() - startedAt)} ms after its start`;
}

export const FAULTS: readonly Fault[] = [
  {
    title: "docker kill of the master's container",
    async run(stack) {
      const [container, told] = await masterGoes(stack, (id) => docker("kill", id));
      await docker("start", container);
      return told;
    },
  },
  {
    title: "docker pause of the master's container",
    async run(stack) {
      const [container, told] = await masterGoes(stack, (id) => docker("pause", id));
      // Longer than a node's lease: what it ran has been given to others when it wakes up.
      await sleep(8_000);
      await docker("unpause", container);
      return told;
    },
  },
  {
    title: "docker stop of the master's container",
    async run(stack) {
      const startedAt = performance.now();
      const [container, told] = await masterGoes(stack, (id) => docker("stop", "--time", "20", id));
      const code = await docker("inspect", "--format", "{{.State.ExitCode}}", container);
      if (code !== "0") throw new Error(`it exited with ${code}; 0 was expected, as SIGTERM drains`);
      await docker("start", container);
      return `exit code 0 and ${told}, ${Math.round(performance.now() - startedAt)} ms in all`;
    },
  },
  {
    title: "docker network disconnect of the master's container",
    async run(stack) {
      const networks = ["stores", "callers"].map((name) => stack.named(name));
      const [container, told] = await masterGoes(stack, async (id) => {
        for (const network of networks) await docker("network", "disconnect", network, id);
      });
      await sleep(8_000);
      for (const network of networks)
        await docker("network", "connect", "--alias", "node", network, container);
      return told;
    },
  },
  { title: "docker kill of Redis", run: (stack) => serviceOutage(stack, "redis") },
  { title: "docker kill of MySQL", run: (stack) => serviceOutage(stack, "mysql") },
];
