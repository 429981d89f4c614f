/** The stack of compose.yaml under a name and on ports of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { docker, type Ended, run } from "./docker.ts";

export interface StackOptions {
  readonly root: string;
  readonly project: string;
  /** What .env would hold. */
  readonly settings: Readonly<Record<string, string>>;
  /** Sent with each call. */
  readonly token?: string;
  /** Besides compose.yaml. */
  readonly files?: readonly string[];
}

interface Cluster {
  readonly masterNodeId: string;
  readonly masterAddress: string;
  readonly nodes: readonly { readonly nodeId: string; readonly address: string }[];
}

const POLL_MS = 20;

export class Stack {
  private readonly options: StackOptions;

  constructor(options: StackOptions) {
    this.options = options;
  }

  get edgeUrl(): string {
    return `http://127.0.0.1:${this.options.settings["EDGE_PORT"]}`;
  }

  /** The same stack with other settings: `up` then recreates what they change. */
  with(changes: Partial<StackOptions>): Stack {
    const settings = { ...this.options.settings, ...changes.settings };
    return new Stack({ ...this.options, ...changes, settings });
  }

  async compose(...args: string[]): Promise<Ended> {
    const { root, project, settings, files = [] } = this.options;
    const fileArgs = ["compose.yaml", ...files].flatMap((file) => ["-f", file]);
    // Only what is given here: a developer's own .env is none of the test's business.
    const all = ["compose", "--env-file", "/dev/null", "-p", project, ...fileArgs, ...args];
    return run("docker", all, { cwd: root, env: { ...process.env, ...settings } });
  }

  async composeOk(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.compose(...args);
    if (code === 0) return stdout.trim();
    const why = stderr.trim().split("\n").slice(-8).join("\n");
    throw new Error(`docker compose ${args.join(" ")} ended with ${code}:\n${why}`);
  }

  async up(nodes: number, ...more: string[]): Promise<void> {
    await this.composeOk("up", "--detach", "--wait", "--scale", `node=${nodes}`, ...more);
  }

  /** Removes containers, networks and volumes. */
  async remove(): Promise<void> {
    await this.composeOk("down", "--volumes", "--remove-orphans", "--timeout", "2");
  }

  async containers(service: string): Promise<string[]> {
    // By the labels of compose, which takes ten times as long to ask.
    const labels = [`project=${this.options.project}`, `service=${service}`];
    const filters = labels.flatMap((label) => ["--filter", `label=com.docker.compose.${label}`]);
    const ids = await docker("ps", "--all", "--quiet", "--no-trunc", ...filters);
    return ids.split("\n").filter((id) => id !== "");
  }

  async onlyContainer(service: string): Promise<string> {
    const [id] = await this.containers(service);
    if (id === undefined) throw new Error(`there is no container for ${service}`);
    return id;
  }

  /** The engine's name of a network or a volume of compose.yaml. */
  named(name: string): string {
    return `${this.options.project}_${name}`;
  }

  /** Runs a program in the service's container, or the first of them. */
  async exec(service: string, ...command: string[]): Promise<Ended> {
    return this.execWith({}, service, ...command);
  }

  /** With these variables beside the container's own. */
  async execWith(
    env: Readonly<Record<string, string>>,
    service: string,
    ...command: string[]
  ): Promise<Ended> {
    const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    return run("docker", ["exec", ...variables, await this.onlyContainer(service), ...command]);
  }

  /** What stands in a file that is mounted for the service. */
  async secret(service: string, file: string): Promise<string> {
    return docker("exec", await this.onlyContainer(service), "cat", `/run/secrets/${file}`);
  }

  /** Runs statements as MySQL's root, who is let in there alone; prints rows in lines. */
  async asRoot(statements: string): Promise<string> {
    const client = ["mysql", "--defaults-extra-file=/run/secrets/mysql/root.cnf", "--batch", "--raw", "-N"];
    return docker("exec", await this.onlyContainer("mysql"), ...client, "-e", statements);
  }

  get token(): string {
    return this.options.token ?? "";
  }

  /** A call as `curl` makes it, through the edge. */
  async call(method: string, body: unknown, timeoutMs = 30_000): Promise<unknown> {
    const service = method === "GetCluster" ? "ClusterService" : "JobService";
    const { token } = this.options;
    const response = await fetch(`${this.edgeUrl}/${service}/${method}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        "content-type": "application/json",
        "connect-timeout-ms": String(timeoutMs),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(timeoutMs + 2_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  async cluster(timeoutMs = 30_000): Promise<Cluster> {
    return { nodes: [], ...((await this.call("GetCluster", {}, timeoutMs)) as object) } as unknown as Cluster;
  }

  /** The container whose address the cluster has published as the master's. */
  async masterContainer(): Promise<string> {
    const { masterAddress } = await this.cluster();
    for (const id of await this.containers("node")) {
      if ((await addressesOf(id)).some((address) => masterAddress === `${address}:7070`)) return id;
    }
    throw new Error(`no container has the master's address ${masterAddress}`);
  }

  /**
   * Does something to the cluster and returns the milliseconds from its end until another master's address stands
   * in Redis. Looked up there: a call would also measure how it finds its way.
   */
  async takeoverAfter(change: () => Promise<unknown>, limitMs: number): Promise<number> {
    const password = await this.secret("node", "elastic-job/redis-password");
    const url = `redis://elastic_job:${password}@${await this.composeOk("port", "redis", "6379")}`;
    const redis = createClient({ url, socket: { reconnectStrategy: false } });
    redis.on("error", () => {});
    await redis.connect();
    try {
      const published = () => redis.hGet("{cluster}:master", "address");
      const before = await published();
      await change();
      const startedAt = performance.now();
      await until("address of another master in Redis", limitMs, async () => {
        const address = await published();
        return address !== null && address !== before;
      });
      return performance.now() - startedAt;
    } finally {
      redis.destroy();
    }
  }

  /** Waits until so many nodes are connected to the master. */
  async nodesJoined(count: number, limitMs = 30_000): Promise<void> {
    await until(`${count} nodes in the cluster`, limitMs, async () => {
      const { nodes } = await this.cluster(2_000);
      return nodes.length === count;
    });
  }
}

/** In all networks of a container. */
export async function addressesOf(container: string): Promise<string[]> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  return (await docker("inspect", "--format", format, container)).split(" ").filter((one) => one !== "");
}

/** Asks until the answer is yes; an error counts as no, and is told if it stays. */
export async function until(what: string, limitMs: number, ask: () => Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  let last = "";
  while (performance.now() - startedAt < limitMs) {
    try {
      if (await ask()) return;
      last = "";
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`no ${what} within ${limitMs} ms${last}`);
}
