/** What a container may do if somebody has taken it over: looked up in the running ones. */
import assert from "node:assert/strict";
import { docker } from "./docker.ts";
import { addressesOf, type Stack } from "./stack.ts";

const RUNNING = ["node", "edge", "mysql", "redis"];
const ONCE = ["make-secrets", "migrate"];
/** Nobody answers: how long a program in a container may wait for that. */
const SILENCE_SECONDS = 2;

interface Inspected {
  readonly State: { readonly ExitCode: number; readonly Status: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly PidsLimit: number;
  };
}

async function inspect(container: string): Promise<Inspected> {
  return JSON.parse(await docker("inspect", "--format", "{{json .}}", container)) as Inspected;
}

export async function expectContained(stack: Stack): Promise<void> {
  for (const service of [...RUNNING, ...ONCE]) {
    const { HostConfig: host, State: state } = await inspect(await stack.onlyContainer(service));
    assert.deepEqual([service, host.CapDrop, host.CapAdd, host.Privileged], [service, ["ALL"], null, false]);
    assert.ok(host.SecurityOpt.includes("no-new-privileges:true"), `${service} could gain privileges`);
    assert.ok(host.ReadonlyRootfs && host.Memory > 0 && host.PidsLimit > 0, `${service} has no limits`);
    if (ONCE.includes(service)) assert.deepEqual([state.Status, state.ExitCode], ["exited", 0], service);
  }
  for (const service of RUNNING) {
    const { stdout: status } = await stack.exec(service, "cat", "/proc/1/status");
    const capabilities = [...status.matchAll(/^Cap\w+:\s+(\w+)$/gm)].map(([, set]) => set);
    assert.deepEqual(capabilities, Array(5).fill("0".repeat(16)), `${service} has capabilities`);
    assert.match(status, /^NoNewPrivs:\s+1$/m, service);
    assert.doesNotMatch(status, /^[UG]id:.*\b0\b/m, `${service} runs as root`);
    for (const path of ["/written", "/etc/written", "/usr/bin/written", "/run/secrets/written"]) {
      assert.notEqual((await stack.exec(service, "touch", path)).code, 0, `${service} could write ${path}`);
    }
  }
  for (const service of ["node", "edge"]) {
    const label = '{{index .Config.Labels "org.opencontainers.image.version"}}';
    assert.match(await docker("inspect", "-f", label, await stack.onlyContainer(service)), /^\d+\.\d+\.\d+/);
  }
}

/** Not in what the engine knows of a container, not in a process of one, not in what one has printed. */
export async function expectNotShown(stack: Stack, secrets: readonly string[]): Promise<void> {
  const shown: [string, string][] = [
    ["docker compose config", await stack.composeOk("config")],
    ["docker compose logs", await stack.composeOk("logs")],
  ];
  for (const service of [...RUNNING, ...ONCE]) {
    for (const id of await stack.containers(service)) shown.push([service, await docker("inspect", id)]);
  }
  const processes = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline";
  for (const service of RUNNING) {
    const { stdout } = await stack.exec(service, "sh", "-c", processes);
    assert.match(stdout, /\0/, `nothing was read of ${service}`);
    shown.push([`${service}'s processes`, stdout]);
  }
  for (const [where, text] of shown) {
    assert.ok(!secrets.some((secret) => text.includes(secret)), `${where}: a password is shown`);
  }
}

/** Tries to connect, from the edge to the stores by name and by address, and from a store to the edge and out. */
export async function expectApart(stack: Stack): Promise<void> {
  const addressIn = async (service: string, network: string) => {
    const format = `{{(index .NetworkSettings.Networks "${stack.named(network)}").IPAddress}}`;
    return docker("inspect", "--format", format, await stack.onlyContainer(service));
  };
  const [mysql = ""] = await addressesOf(await stack.onlyContainer("mysql"));
  const [redis = ""] = await addressesOf(await stack.onlyContainer("redis"));
  const open = await openFromEdge(stack, [
    [await addressIn("node", "callers"), 7070],
    [await addressIn("node", "stores"), 7070],
    ["mysql", 3306],
    ["redis", 6379],
    [mysql, 3306],
    [redis, 6379],
  ]);
  assert.deepEqual(open, [[await addressIn("node", "callers"), 7070]]);
  assert.equal(await fromRedis(stack, await addressIn("node", "stores"), 7070), "open");
  for (const [service, port] of [
    ["edge", 8080],
    ["node", 7070],
  ] as const) {
    const address = await addressIn(service, "callers");
    assert.notEqual(await fromRedis(stack, address, port), "open", `Redis reaches callers' ${service}`);
  }
  // The engine lets nothing out of such a network, by a route or by rules of its own.
  assert.equal(
    await docker("network", "inspect", "--format", "{{.Internal}}", stack.named("stores")),
    "true",
  );
}

/** Those to which the edge's container can connect. */
async function openFromEdge(
  stack: Stack,
  targets: readonly (readonly [host: string, port: number])[],
): Promise<unknown> {
  const script = `
    const isOpen = ([hostname, port]) => Promise.race([
      Deno.connect({ hostname, port }).then(() => true, () => false),
      new Promise((resolve) => setTimeout(resolve, ${SILENCE_SECONDS * 1000}, false)),
    ]);
    const targets = ${JSON.stringify(targets)};
    const found = await Promise.all(targets.map(isOpen));
    console.log(JSON.stringify(targets.filter((_, index) => found[index])));
    Deno.exit(0);`;
  const { stdout, stderr } = await stack.exec("edge", "deno", "eval", "--no-config", script);
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

/** Its client says whether it could connect, whatever then answers. */
async function fromRedis(stack: Stack, host: string, port: number): Promise<string> {
  const client = ["timeout", String(SILENCE_SECONDS), "redis-cli", "-h", host, "-p", String(port), "ping"];
  const { code, stdout, stderr } = await stack.exec("redis", ...client);
  return code === 124 || /Could not connect/.test(stdout + stderr) ? "closed" : "open";
}
