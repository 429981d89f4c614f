/** The manifests against Kubernetes' own schema, as TypeScript types of it, and against each other. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { describeSettings, parseConfig, SECRET_VARIABLES } from "../../../src/config.ts";
import { parseTokenLines } from "../../../src/core/callers/api-tokens.ts";
import { MANIFESTS_FOLDER as FOLDER, findManifest as find, manifests, valuesOf } from "./manifests.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Where `kubernetes-types` has each kind. */
const TYPES: Readonly<Record<string, string>> = {
  "v1 Namespace": "core/v1",
  "v1 ConfigMap": "core/v1",
  "v1 Service": "core/v1",
  "apps/v1 Deployment": "apps/v1",
  "policy/v1 PodDisruptionBudget": "policy/v1",
  "networking.k8s.io/v1 NetworkPolicy": "networking/v1",
};
const WITHOUT_TYPES = ["keda.sh/v1alpha1", "kustomize.config.k8s.io/v1beta1"];

let folder: string;
beforeAll(() => {
  // Within the project: types are looked up from there.
  folder = mkdtempSync(join(ROOT, "node_modules/.elastic-job-manifests-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("each manifest has the fields of its kind, with their types, and no others", () => {
  const lines = manifests.flatMap(({ file, ...manifest }, index) => {
    const name = `${manifest.apiVersion} ${manifest.kind}`;
    const path = TYPES[name];
    if (path === undefined) {
      expect(WITHOUT_TYPES, `${file}: ${name}`).toContain(manifest.apiVersion);
      return [];
    }
    const type = `import("kubernetes-types/${path}").${manifest.kind}`;
    return [`// ${file}`, `export const manifest${index}: ${type} = ${JSON.stringify(manifest, null, 1)};`];
  });
  writeFileSync(join(folder, "manifests.ts"), lines.join("\n"));
  const options = {
    target: "esnext",
    module: "esnext",
    moduleResolution: "bundler",
    strict: true,
    noEmit: true,
  };
  const settings = { compilerOptions: { ...options, types: [] }, files: ["manifests.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  let problems = "";
  try {
    execFileSync(tsc, ["-p", folder], { encoding: "utf8" });
  } catch (error) {
    problems = String((error as { stdout?: string }).stdout ?? error);
  }
  expect(problems).toBe("");
});

test("what selects pods selects those of a Deployment", () => {
  const podLabels = manifests
    .filter(({ kind }) => kind === "Deployment")
    .map(({ spec }) => valuesOf(spec?.["template"], "labels")[0] as Record<string, string>);
  const matches = (selector: unknown) =>
    podLabels.some((labels) =>
      Object.entries(selector as Record<string, string>).every(([name, value]) => labels[name] === value),
    );
  for (const { kind, spec } of manifests) {
    if (kind === "Service") expect(matches(spec?.["selector"])).toBe(true);
    if (kind === "PodDisruptionBudget") {
      expect(matches(valuesOf(spec, "matchLabels")[0])).toBe(true);
    }
  }
});

test("settings and services that are referred to exist, and hold only what the program reads", () => {
  const known = new Set([...SECRET_VARIABLES, ...describeSettings().map(({ name }) => name)]);
  for (const { spec } of manifests) {
    for (const reference of valuesOf(spec, "configMapRef")) {
      expect(find("ConfigMap", (reference as { name: string }).name)).toBeDefined();
    }
  }
  for (const { kind, data = {} } of manifests) {
    if (kind === "ConfigMap") for (const name of Object.keys(data)) expect(known).toContain(name);
  }
  const upstream = valuesOf(find("Deployment", "elastic-job-edge"), "env").flat() as {
    name: string;
    value?: string;
  }[];
  const host = new URL(upstream.find(({ name }) => name === "UPSTREAM")?.value ?? "").hostname;
  expect(find("Service", host)).toBeDefined();
  const scaled = find("ScaledObject", "elastic-job-node")?.spec?.["scaleTargetRef"] as { name: string };
  expect(find("Deployment", scaled.name)).toBeDefined();
});

test("what lives is not restarted because a database is away: liveness is /healthz, readiness /readyz", () => {
  for (const name of ["elastic-job-node", "elastic-job-edge"]) {
    const spec = find("Deployment", name)?.spec;
    const paths = (probe: string) =>
      valuesOf(spec, probe).map((value) => (value as { httpGet: { path: string } }).httpGet.path);
    expect(paths("livenessProbe")).toEqual(["/healthz"]);
    expect(paths("readinessProbe")).toEqual(["/readyz"]);
    for (const path of paths("startupProbe")) expect(path).toBe("/healthz");
  }
  // Where an orchestrator goes by the images' own checks, it restarts what is unhealthy.
  const checks = readFileSync(join(ROOT, "Dockerfile"), "utf8").match(/^ {2}CMD \[.*\/\w+z`.*$/gm) ?? [];
  expect(checks.map((line) => /\/(\w+z)`/.exec(line)?.[1])).toEqual(["healthz", "healthz"]);
});

test("a node has the time to drain before it is killed", () => {
  const template = find("Deployment", "elastic-job-node")?.spec?.["template"];
  const pod = (template as { spec: Record<string, unknown> } | undefined)?.spec ?? {};
  const [pause] = valuesOf(pod, "sleep") as { seconds: number }[];
  const drainMs = Number(find("ConfigMap", "elastic-job-settings")?.data?.["DRAIN_GRACE_MS"]);
  expect(pod["terminationGracePeriodSeconds"]).toBeGreaterThan((pause?.seconds ?? 0) + drainMs / 1000 + 5);
});

test.each([".", "stores"])("kustomization in %s lists every manifest but those that need KEDA", (part) => {
  const { resources } = parse(readFileSync(join(FOLDER, part, "kustomization.yaml"), "utf8")) as {
    resources: string[];
  };
  const files = [...new Set(manifests.map(({ file }) => file))].filter(
    (file) => dirname(file) === part && !/kustomization|autoscaler/.test(file),
  );
  expect(resources.map((file) => join(part, file)).toSorted()).toEqual(files.toSorted());
});

describe("secrets", () => {
  const MOUNT = "/run/secrets/elastic-job/";
  const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
  /** What step 3 of the README makes: a file each, of which the Secret has its keys. */
  const made = [...readme.matchAll(/openssl rand -hex 24.* > secrets\/([\w-]+)/g)].map(
    ([, name = ""]) => name,
  );
  const volumesOf = (name: string) => valuesOf(find("Deployment", name)?.spec, "secret");

  test("no manifest has one, a placeholder, or a reference that puts one into an environment", () => {
    expect(manifests.filter(({ kind, stringData }) => kind === "Secret" || stringData !== undefined)).toEqual(
      [],
    );
    for (const { file, spec, data } of manifests) {
      expect(readFileSync(join(FOLDER, file), "utf8")).not.toMatch(/change.?me/i);
      for (const key of ["secretRef", "secretKeyRef"]) expect(valuesOf(spec, key)).toEqual([]);
      for (const url of ["MYSQL_URL", "REDIS_URL"])
        expect(URL.parse(data?.[url] ?? "")?.password ?? "").toBe("");
    }
  });

  test("a node's settings are accepted with the files that the README makes, and name no other", () => {
    const env = find("ConfigMap", "elastic-job-settings")?.data ?? {};
    const read: string[] = [];
    const config = parseConfig(env, 1, (path) => {
      expect(path.startsWith(MOUNT)).toBe(true);
      read.push(path.slice(MOUNT.length));
      return `0f1e2d3c4b5a69788796a5b4c3d2e1f0${read.length}\n`;
    });
    expect(made.toSorted()).toEqual(["api-tokens", ...read].toSorted());
    expect(config).toMatchObject({
      mysqlUrl: expect.stringMatching(/^mysql:\/\/elastic_job:0f1e2d3c4b5a69788796a5b4c3d2e1f0\d@mysql\./),
      redisUrl: expect.stringMatching(/^redis:\/\/elastic_job:0f1e2d3c4b5a69788796a5b4c3d2e1f0\d@redis\./),
      apiTokensFile: `${MOUNT}api-tokens`,
    });
    const [, line = ""] = /echo "(.*)" > secrets\/api-tokens/.exec(readme) ?? [];
    const { tokens, problems } = parseTokenLines(line.replace("$(openssl rand -hex 24)", "0f1e2d3c4b5a6978"));
    expect(problems).toEqual([]);
    expect(tokens).toHaveLength(1);
    expect(readme).toContain("--from-file=secrets/");
  });

  test("they are mounted for the group of the process alone; the edge has the tokens, and no password", () => {
    const secret = { secretName: "elastic-job-secrets", defaultMode: 0o440 };
    expect(readme).toContain(`create secret generic ${secret.secretName} --namespace elastic-job`);
    expect(volumesOf("elastic-job-node")).toEqual([secret]);
    const items = [{ key: "api-tokens", path: "api-tokens" }];
    expect(volumesOf("elastic-job-edge")).toEqual([{ ...secret, items }]);
    for (const name of ["elastic-job-node", "elastic-job-edge"]) {
      const spec = find("Deployment", name)?.spec;
      expect(valuesOf(spec, "fsGroup")).toEqual(valuesOf(spec, "runAsGroup"));
      expect(valuesOf(spec, "volumeMounts").flat()).toContainEqual({
        name: "secrets",
        mountPath: MOUNT.slice(0, -1),
        readOnly: true,
      });
    }
    expect(valuesOf(find("Deployment", "elastic-job-edge")?.spec, "env").flat()).toContainEqual({
      name: "API_TOKENS_FILE",
      value: `${MOUNT}api-tokens`,
    });
  });
});
