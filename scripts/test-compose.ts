/**
 * `npm run test:compose`: the stack of compose.yaml as users run it, end to end, with real containers, a real browser
 * and real faults. Prints each step with its time, and removes what it made. Where there is no Docker it says so and
 * ends with 0; `-- --required` makes that a failure.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { expectLeastGrants, expectOldAccountsGone, expectRedisClosed } from "../test/e2e/accounts.ts";
import { badSettings, expectTold } from "../test/e2e/bad-settings.ts";
import { findBrowser, runBrowser } from "../test/e2e/browser.ts";
import { checkRun } from "../test/e2e/check-run.ts";
import { expectApart, expectContained, expectNotShown } from "../test/e2e/containment.ts";
import { callEveryMethod } from "../test/e2e/curl-lines.ts";
import { docker, run, whyNoDocker } from "../test/e2e/docker.ts";
import { FAULTS } from "../test/e2e/faults.ts";
import { freeRange } from "../test/e2e/free-range.ts";
import { startLoad } from "../test/e2e/load.ts";
import { madePasswords, outliveTheirUse } from "../test/e2e/made-secrets.ts";
import { addAndWatch } from "../test/e2e/native-grpc.ts";
import {
  passesStreamsOn,
  runHandlersFromImage,
  runServerlessEdge,
  runToEnd,
} from "../test/e2e/other-ways.ts";
import { expectStrangersRefused } from "../test/e2e/rights.ts";
import { Stack } from "../test/e2e/stack.ts";
import { createSteps } from "../test/e2e/steps.ts";
import { freePort } from "../test/servers/free-port.ts";

const ROOT = join(import.meta.dirname, "..");
const PROJECT = "elastic-job-test";
const READY_LIMIT_MS = 30_000;
const ADDS_PER_SECOND = 20;
const TOKEN = "an-api-token-for-tests";
const SECRET = "a-cluster-secret-for-tests";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const why = whyNoDocker();
  if (why !== null) {
    console.log(`test:compose was not run: ${why}. It needs a Docker engine and docker compose.`);
    return args.includes("--required") ? 1 : 0;
  }
  const work = mkdtempSync(join(tmpdir(), "elastic-job-compose-"));
  const effects = join(work, "effects");
  const pagePort = await freePort();
  const firstNodePort = await freeRange(40);
  const plain = new Stack({
    root: ROOT,
    project: PROJECT,
    settings: {
      EDGE_PORT: String(await freePort()),
      NODE_PORTS: `${firstNodePort}-${firstNodePort + 39}`,
      EFFECTS_DIR: effects,
    },
  });
  const guarded = plain.with({
    token: TOKEN,
    settings: {
      API_TOKENS: TOKEN,
      CLUSTER_SECRET: SECRET,
      ALLOWED_ORIGINS: `http://127.0.0.1:${pagePort}`,
      HANDLERS: "/handlers/handlers.ts",
    },
  });
  const underTest = guarded.with({
    files: ["test/e2e/compose.test.yaml"],
    settings: { HANDLERS: "/app/test/cluster/effect-handlers.ts" },
  });
  const serversOnly = plain.with({ project: `${PROJECT}-servers` });
  const steps = createSteps(console.log);
  const { step } = steps;
  let removed = false;
  const remove = async () => {
    if (removed) return;
    removed = true;
    await underTest.remove();
    await serversOnly.remove();
    rmSync(work, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void remove().finally(() => process.exit(130)));
  }

  try {
    mkdirSync(effects);
    // The nodes' user is not this one.
    chmodSync(effects, 0o777);
    await underTest.remove();
    await serversOnly.remove();

    await step("docker compose build", async (note) => {
      await plain.composeOk("build");
      for (const [image, base] of [
        ["elastic-job", "node:26-slim"],
        ["elastic-job-edge", "denoland/deno:2.9.6"],
      ] as const) {
        const [size, under] = await Promise.all(
          [image, base].map((one) => docker("inspect", "-f", "{{.Size}}", one)),
        );
        note(`${image} is ${((Number(size) - Number(under)) / 1e6).toFixed(1)} MB on ${base}`);
      }
    });
    const isUp = await step("docker compose up --scale node=5", async (note) => {
      const [load = 0] = loadavg();
      const isBusy = load > 2 * availableParallelism();
      const startedAt = performance.now();
      await plain.up(5);
      const ms = performance.now() - startedAt;
      note(`ready in ${(ms / 1000).toFixed(1)} s`);
      await plain.nodesJoined(5);
      // On a machine that has other things to do, the figure says nothing about this project.
      if (isBusy) note(`not judged: the load was ${load.toFixed(0)} before`);
      else if (ms > READY_LIMIT_MS)
        throw new Error(`${Math.round(ms)} ms; at most ${READY_LIMIT_MS} are allowed`);
      return true;
    });
    // Nothing below could tell more than that.
    if (isUp === null) {
      console.log((await plain.compose("logs", "--tail", "20")).stdout);
      return 1;
    }
    await step("curl calls every method through the edge", async () => {
      const lines = await callEveryMethod(plain);
      for (const line of lines) console.log(`                 ${line}`);
    });
    await step("containers have no capabilities, and can write nothing of their images", () =>
      expectContained(plain),
    );
    await step("the edge reaches nodes, and neither MySQL nor Redis, which reach nobody", () =>
      expectApart(plain),
    );
    await step("MySQL's accounts have the least grants, and root is let in on the spot only", () =>
      expectLeastGrants(plain),
    );
    await step("Redis asks for a password, and lets a node do what a node does", () =>
      expectRedisClosed(plain),
    );
    const passwords = await madePasswords(plain);
    await step("no password is in an environment, a command line, a log or the engine's words", () =>
      expectNotShown(plain, Object.values(passwords)),
    );
    await step("native gRPC (@grpc/grpc-js) on a port of the published range", async (note) => {
      const [container] = await plain.containers("node");
      const address = await docker("port", container ?? "", "7070/tcp");
      note(`${address}: ${(await addAndWatch(ROOT, address, "")).join(", ")}`);
    });
    for (const count of [8, 2]) {
      await step(`docker compose up --scale node=${count} on the running stack`, async () => {
        await plain.up(count, "--no-recreate");
        await plain.nodesJoined(count);
        await runToEnd(plain, { handler: "echo" });
        assert.deepEqual(await madePasswords(plain), passwords);
      });
    }
    await step("accounts that a volume had before do not outlive a start of MySQL", () =>
      expectOldAccountsGone(plain),
    );

    await step("up --scale node=5 with API_TOKENS, CLUSTER_SECRET and HANDLERS from a volume", async () => {
      await guarded.up(5);
      await guarded.nodesJoined(5);
    });
    await step("strangers are refused in every protocol, at edge and nodes", () =>
      expectStrangersRefused(guarded),
    );
    await step("own handlers from a volume", async (note) => {
      const { lastResult } = await runToEnd(guarded, { handler: "greet", payload: { name: "Ada" } });
      note(JSON.stringify(lastResult.output));
    });
    await step("own handlers in an image made FROM elastic-job", async (note) => {
      const env = [
        "MYSQL_URL=mysql://elastic_job@mysql:3306/elastic_job",
        "MYSQL_PASSWORD_FILE=/run/secrets/elastic-job/mysql-password",
        "REDIS_URL=redis://elastic_job@redis:6379/0",
        "REDIS_PASSWORD_FILE=/run/secrets/elastic-job/redis-password",
        `API_TOKENS=${TOKEN}`,
        `CLUSTER_SECRET=${SECRET}`,
      ];
      note(await runHandlersFromImage(guarded, ROOT, env));
    });
    await step("native gRPC with a token", async (note) => {
      const [container] = await guarded.containers("node");
      note((await addAndWatch(ROOT, await docker("port", container ?? "", "7070/tcp"), TOKEN)).join(", "));
    });
    await step("the edge on Deno passes streams and cancellation on", () =>
      passesStreamsOn(guarded.edgeUrl, TOKEN),
    );
    await step("deno serve, with UPSTREAM, OPEN_API and no file system", async (note) => {
      note(await runServerlessEdge(guarded, await freePort()));
    });
    const browser = findBrowser();
    if (browser === null)
      console.log("        -     a page in a browser was not tried: there is no Chromium here");
    else {
      await step("a page in headless Chromium, with Connect and with Google's grpc-web", async (note) => {
        const outcome = await runBrowser({ browser, port: pagePort, edgeUrl: guarded.edgeUrl, token: TOKEN });
        for (const states of [outcome.connect, outcome.grpcWeb]) {
          if (typeof states === "string" || states.at(-1) !== "JOB_STATUS_SUCCEEDED" || states.length < 2) {
            throw new Error(JSON.stringify(outcome));
          }
        }
        note(`grpc-web saw ${String(outcome.grpcWeb)}`);
      });
    }

    await step("up --scale node=5 with handlers whose effects are counted", async () => {
      await underTest.up(5);
      await underTest.nodesJoined(5);
    });
    const load = startLoad(underTest.edgeUrl, TOKEN, ADDS_PER_SECOND);
    console.log(`                 ${ADDS_PER_SECOND} adds a second from here on, none of them made twice`);
    for (const { title, run: inject } of FAULTS) {
      load.longestWaitMs();
      await step(title, async (note) => {
        note(await inject(underTest));
        await underTest.nodesJoined(5, 60_000);
        note(`the longest add waited ${Math.round(load.longestWaitMs())} ms`);
      });
    }
    await step("no add failed", async () => {
      const failures = await load.finish();
      if (failures.length > 0) throw new Error(failures.join("\n"));
    });
    await step("the checker finds nothing wrong in MySQL", async (note) => {
      const port = (await underTest.composeOk("port", "mysql", "3306")).split(":").at(-1);
      const databaseUrl = `mysql://elastic_job:${passwords.mysql}@127.0.0.1:${port}/elastic_job`;
      const effectsLog = join(effects, "log");
      note(await checkRun({ databaseUrl, effectsLog, acknowledged: load.acknowledged, limitMs: 60_000 }));
    });

    await step("the store's conformance suite against this MySQL", async (note) => {
      const address = await underTest.composeOk("port", "mysql", "3306");
      const [user, password] = ["conformance", randomBytes(16).toString("hex")];
      await underTest.asRoot(
        `CREATE USER ${user} IDENTIFIED BY '${password}'; GRANT ALL ON *.* TO ${user} WITH GRANT OPTION`,
      );
      const env = { ...process.env, TEST_MYSQL_URL: `mysql://${user}:${password}@${address}/` };
      const suite = await run(process.execPath, ["scripts/test.ts", "test/conformance/store"], {
        cwd: ROOT,
        env,
      });
      if (suite.code !== 0)
        throw new Error(`${suite.stdout}\n${suite.stderr}`.split("\n").slice(-40).join("\n"));
      note(suite.stdout.trim().split("\n").at(-1) ?? "");
    });
    const servers = {
      // In the stores' own, the resolver asks for names that are not there until its time is up.
      network: underTest.named("callers"),
      mysqlPassword: passwords.mysql,
      redisPassword: passwords.redis,
    };
    const [taken] = await underTest.containers("node");
    for (const setting of badSettings(servers, taken ?? "")) {
      await step(setting.title, async (note) => note(await expectTold(setting)));
    }
    await step("docker compose stop drains, and exits with 0", async () => {
      await underTest.composeOk("stop");
      const ended: string[] = [];
      for (const id of [...(await underTest.containers("node")), ...(await underTest.containers("edge"))]) {
        ended.push(await docker("inspect", "--format", "{{.Name}} exited with {{.State.ExitCode}}", id));
      }
      if (ended.some((line) => !line.endsWith(" 0"))) throw new Error(ended.join("\n"));
    });
    await step("passwords are kept, and made anew, in a hurry too", async (note) => {
      note(await outliveTheirUse(serversOnly));
    });
    if (steps.failed > 0) {
      const logs = await run("docker", ["compose", "-p", PROJECT, "logs", "--no-color", "--timestamps"]);
      const path = join(tmpdir(), "elastic-job-compose.log");
      writeFileSync(path, logs.stdout);
      console.log(`The containers' logs are in ${path}.`);
    }
  } finally {
    await step("cleaning up", remove);
  }
  console.log(steps.failed === 0 ? "test:compose passed" : `test:compose: ${steps.failed} steps failed`);
  return steps.failed === 0 ? 0 : 1;
}
