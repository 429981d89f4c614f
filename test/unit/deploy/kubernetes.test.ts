/** The manifests against Kubernetes' own schema, as TypeScript types of it, and against each other. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { describeSettings } from "../../../src/config.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDER = join(ROOT, "deploy/kubernetes");

/** Where `kubernetes-types` has each kind. */
const TYPES: Readonly<Record<string, string>> = {
  "v1 Namespace": "core/v1",
  "v1 ConfigMap": "core/v1",
  "v1 Secret": "core/v1",
  "v1 Service": "core/v1",
  "apps/v1 Deployment": "apps/v1",
  "policy/v1 PodDisruptionBudget": "policy/v1",
  "networking.k8s.io/v1 NetworkPolicy": "networking/v1",
};
const WITHOUT_TYPES = ["keda.sh/v1alpha1", "kustomize.config.k8s.io/v1beta1"];

interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
  readonly spec?: Record<string, unknown>;
  readonly data?: Record<string, string>;
  readonly stringData?: Record<string, string>;
}

const manifests: Manifest[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".yaml"))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(FOLDER, file), "utf8")).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
      return { file, ...(document.toJS() as Omit<Manifest, "file">) };
    }),
  );

const find = (kind: string, name: string) =>
  manifests.find((one) => one.kind === kind && one.metadata?.name === name);

/** Every value under this key, at any depth. */
function valuesOf(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...valuesOf(inner, key),
  ]);
}

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

test("settings, secrets and services that are referred to exist, and hold only what the program reads", () => {
  const known = new Set(describeSettings().map(({ name }) => name));
  for (const { spec } of manifests) {
    for (const reference of valuesOf(spec, "configMapRef")) {
      expect(find("ConfigMap", (reference as { name: string }).name)).toBeDefined();
    }
    for (const reference of [...valuesOf(spec, "secretRef"), ...valuesOf(spec, "secretKeyRef")]) {
      expect(find("Secret", (reference as { name: string }).name)).toBeDefined();
    }
  }
  for (const { kind, data = {}, stringData = {} } of manifests) {
    if (kind === "ConfigMap" || kind === "Secret") {
      for (const name of Object.keys({ ...data, ...stringData })) expect(known).toContain(name);
    }
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

test("kustomization lists every manifest but the one that needs KEDA", () => {
  const { resources } = parse(readFileSync(join(FOLDER, "kustomization.yaml"), "utf8")) as {
    resources: string[];
  };
  const files = [...new Set(manifests.map(({ file }) => file))].filter(
    (file) => file !== "kustomization.yaml" && file !== "autoscaler.yaml",
  );
  expect(resources.toSorted()).toEqual(files.toSorted());
});
