/** How long the passwords last that compose.yaml makes for its servers, and what a hurry does to them. */
import assert from "node:assert/strict";
import { docker, run } from "./docker.ts";
import { type Stack, until } from "./stack.ts";

const START_LIMIT_MS = 30_000;

interface Passwords {
  readonly migrate: string;
  readonly root: string;
  readonly mysql: string;
  readonly redis: string;
}

/** From the volumes themselves. */
export async function madePasswords(stack: Stack): Promise<Passwords> {
  const volumes = ["node", "migrate", "mysql"].flatMap((name) => [
    "-v",
    `${stack.named(`${name}-secrets`)}:/made/${name}:ro`,
  ]);
  const read = [
    "--entrypoint",
    "sh",
    "redis:8",
    "-c",
    "for file in /made/*/*-password; do cat $file; echo; done",
  ];
  const made = await docker("run", "--rm", "--network", "none", ...volumes, ...read);
  const [migrate = "", root = "", mysql = "", redis = "", ...more] = made.split("\n");
  for (const password of [migrate, root, mysql, redis]) assert.match(password, /^[0-9a-f]{48}$/);
  assert.deepEqual(more, []);
  return { migrate, root, mysql, redis };
}

/** The servers alone, as nodes have nothing to do with it. `stack` has nothing yet. */
export async function outliveTheirUse(stack: Stack): Promise<string> {
  // Each makes what it finds missing. That a container's name is taken is the second one's to say.
  const twoAtOnce = await Promise.all([up(stack), up(stack)]);
  await upOk(stack);
  const first = await letIn(stack);
  await stack.composeOk("down", "--timeout", "5");
  await upOk(stack);
  assert.deepEqual(await letIn(stack), first, "a new start has other passwords");

  await stack.remove();
  await stack.composeOk("up", "--detach", "mysql");
  const container = await stack.onlyContainer("mysql");
  await until("an unfinished first start of MySQL", START_LIMIT_MS, async () => isUnfinished(container));
  await docker("kill", container);
  await upOk(stack);
  assert.equal(await isUnfinished(container), false);
  const second = await letIn(stack);
  for (const password of Object.values(second)) assert.ok(!Object.values(first).includes(password));

  // Those of the data go on: the servers' accounts follow the passwords, wherever these come from.
  await stack.composeOk("down", "--timeout", "5");
  for (const name of ["node", "mysql", "migrate"])
    await docker("volume", "rm", stack.named(`${name}-secrets`));
  await upOk(stack);
  const third = await letIn(stack);
  assert.notEqual(third.mysql, second.mysql);
  const refused = twoAtOnce.filter(({ code }) => code !== 0).length;
  return `of two at once, ${2 - refused} came up; MySQL was killed in its first start`;
}

const up = (stack: Stack) => stack.compose("up", "--detach", "--wait", "mysql", "redis");
const upOk = (stack: Stack) => stack.composeOk("up", "--detach", "--wait", "mysql", "redis");

async function isUnfinished(container: string): Promise<boolean> {
  return (await run("docker", ["exec", container, "test", "-e", "/var/lib/mysql/.unfinished"])).code === 0;
}

/** The passwords, each of which its server has taken. */
async function letIn(stack: Stack): Promise<Passwords> {
  const passwords = await madePasswords(stack);
  const client = ["mysql", "--host=127.0.0.1", "--database=elastic_job", "-e", "SELECT 1"];
  for (const [user, password] of [
    ["elastic_job", passwords.mysql],
    ["elastic_job_migrate", passwords.migrate],
  ] as const) {
    const { code, stderr } = await stack.execWith(
      { MYSQL_PWD: password },
      "mysql",
      ...client,
      `--user=${user}`,
    );
    assert.equal(code, 0, stderr);
  }
  assert.equal(await stack.asRoot("SELECT CURRENT_USER()"), "root@localhost");
  const ping = ["redis-cli", "--user", "elastic_job", "ping"];
  assert.match((await stack.execWith({ REDISCLI_AUTH: passwords.redis }, "redis", ...ping)).stdout, /^PONG/);
  return passwords;
}
