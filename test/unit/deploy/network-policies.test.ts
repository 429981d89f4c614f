/** Who may reach whom: worked out from the manifests, for every pair, against the table of what there is to be. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkPolicy } from "kubernetes-types/networking/v1.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { findManifest, MANIFESTS_FOLDER, manifests, valuesOf } from "./manifests.ts";
import { type Place, type Port, reaches } from "./reach.ts";

const policiesIn = (isIncluded: (file: string) => boolean) =>
  manifests.filter(
    ({ kind, file }) => kind === "NetworkPolicy" && isIncluded(file),
  ) as unknown as NetworkPolicy[];
const AUTOSCALER = "stores/autoscaler-network-policy.yaml";
const policies = policiesIn((file) => file !== AUTOSCALER);

function podsOf(deployment: string): Record<string, string> {
  const template = findManifest("Deployment", deployment)?.spec?.["template"];
  return valuesOf(template, "labels")[0] as Record<string, string>;
}

const NODE = podsOf("elastic-job-node");
const EDGE = podsOf("elastic-job-edge");
const MYSQL = { "app.kubernetes.io/name": "mysql" };
const REDIS = { "app.kubernetes.io/name": "redis" };
const CLIENT = { "elastic-job/client": "true" };
const OURS = ["elastic-job", "elastic-job-stores"];

const pod = (namespace: string, labels: Record<string, string>, namespaceLabels = {}): Place => ({
  address: "10.244.1.9",
  namespace,
  labels,
  namespaceLabels,
});
const outside = (address: string): Place => ({ address, namespace: null, labels: {}, namespaceLabels: {} });

const PLACES: Readonly<Record<string, Place>> = {
  node: pod("elastic-job", NODE),
  edge: pod("elastic-job", EDGE),
  "other pod beside them": pod("elastic-job", { app: "debug" }),
  mysql: pod("elastic-job-stores", MYSQL),
  redis: pod("elastic-job-stores", REDIS),
  "other pod beside the stores": pod("elastic-job-stores", { app: "backup" }),
  dns: pod("kube-system", { "k8s-app": "kube-dns" }),
  "other pod of the system": pod("kube-system", { "k8s-app": "metrics-server" }),
  keda: pod("keda", { app: "keda-operator" }),
  "ingress controller": pod("ingress-nginx", { app: "any" }, { "elastic-job/edge-clients": "true" }),
  "gRPC client": pod("shop", CLIENT, { "elastic-job/node-clients": "true" }),
  "pod beside the gRPC client": pod("shop", { app: "shop" }, { "elastic-job/node-clients": "true" }),
  // Whoever makes a pod chooses its labels: here all that open anything, one set after the other.
  "stranger that claims to be a client": pod("guests", CLIENT),
  "stranger that claims to be a node": pod("guests", { ...NODE, ...CLIENT }),
  "stranger that claims to be an edge": pod("guests", { ...EDGE, ...CLIENT }),
  "stranger that claims to be MySQL": pod("guests", MYSQL),
  "stranger that claims to be Redis": pod("guests", REDIS),
  "stranger that claims to be DNS": pod("guests", { "k8s-app": "kube-dns" }),
  "stranger that claims a namespace's labels": pod("guests", {
    "kubernetes.io/metadata.name": "elastic-job",
    "elastic-job/node-clients": "true",
    "elastic-job/edge-clients": "true",
  }),
  "the internet": outside("203.0.113.7"),
  "the cloud's metadata": outside("169.254.169.254"),
  "the API server": outside("10.96.0.1"),
};

const PORTS: readonly Port[] = [
  { protocol: "UDP", port: 53 },
  ...[22, 53, 80, 443, 3306, 6379, 6443, 7070, 8080, 33060].map((port) => ({
    protocol: "TCP" as const,
    port,
  })),
];

/** All that is let through, of which one end at least is ours. */
function letThrough(by: readonly NetworkPolicy[]): string[] {
  const isOurs = ({ namespace }: Place) => namespace !== null && OURS.includes(namespace);
  return Object.entries(PLACES).flatMap(([from, source]) =>
    Object.entries(PLACES)
      .filter(([, target]) => isOurs(source) || isOurs(target))
      .flatMap(([to, target]) =>
        PORTS.filter((port) => reaches(by, source, target, port)).map(
          ({ protocol, port }) => `${from} → ${to}, ${protocol} ${port}`,
        ),
      ),
  );
}

const TABLE = [
  "node → node, TCP 7070",
  "node → mysql, TCP 3306",
  "node → redis, TCP 6379",
  "node → dns, UDP 53",
  "node → dns, TCP 53",
  "edge → node, TCP 7070",
  "edge → dns, UDP 53",
  "edge → dns, TCP 53",
  "ingress controller → edge, TCP 8080",
  "gRPC client → node, TCP 7070",
];

test("what is in the table is let through, into our namespaces and out of them, and nothing else is", () => {
  expect(letThrough(policies)).toEqual(TABLE);
});

test("with the autoscaler's, KEDA reaches MySQL as well, and nothing else is let through", () => {
  expect(letThrough(policiesIn(() => true)).toSorted()).toEqual(
    [...TABLE, "keda → mysql, TCP 3306"].toSorted(),
  );
});

test("every rule names its ports, and its peers by their namespace's labels and their own together", () => {
  const rules = policiesIn(() => true).flatMap(({ spec }) => [
    ...(spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports })),
    ...(spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports })),
  ]);
  expect(rules.length).toBeGreaterThan(5);
  for (const { peers = [], ports = [] } of rules) {
    expect(ports.length).toBeGreaterThan(0);
    expect(peers.length).toBeGreaterThan(0);
    for (const { namespaceSelector, podSelector, ipBlock } of peers) {
      expect(ipBlock).toBeUndefined();
      expect(podSelector).toBeDefined();
      expect(Object.keys(namespaceSelector?.matchLabels ?? {})).not.toEqual([]);
    }
  }
});

test.each(OURS)("a pod of %s that no policy knows reaches nobody, and nobody reaches it", (namespace) => {
  const unknown = pod(namespace, {});
  for (const port of PORTS) {
    for (const place of Object.values(PLACES)) {
      expect(reaches(policies, unknown, place, port)).toBe(false);
      expect(reaches(policies, place, unknown, port)).toBe(false);
    }
  }
});

test("the ports are those on which nodes and edge listen, and the addresses those that are let through", () => {
  const ports = (name: string) => valuesOf(findManifest("Deployment", name)?.spec, "containerPort");
  expect(ports("elastic-job-node")).toEqual([7070]);
  expect(ports("elastic-job-edge")).toEqual([8080]);
  const settings = findManifest("ConfigMap", "elastic-job-settings")?.data ?? {};
  expect(URL.parse(settings["MYSQL_URL"] ?? "")?.host).toBe("mysql.elastic-job-stores.svc:3306");
  expect(URL.parse(settings["REDIS_URL"] ?? "")?.host).toBe("redis.elastic-job-stores.svc:6379");
});

test("the README's example for what handlers call opens that network to nodes, and no more", () => {
  const readme = readFileSync(join(MANIFESTS_FOLDER, "README.md"), "utf8");
  const [, yaml = ""] = /^```yaml\n(.*?)^```/ms.exec(readme) ?? [];
  const example = parse(yaml) as NetworkPolicy;
  const { node, edge } = PLACES;
  if (node === undefined || edge === undefined) throw new Error("no such place");
  const https = { protocol: "TCP", port: 443 } as const;
  const withExample = [...policies, example];
  expect(reaches(withExample, node, outside("192.0.2.7"), https)).toBe(true);
  expect(reaches(withExample, node, outside("192.0.3.7"), https)).toBe(false);
  expect(reaches(withExample, node, outside("192.0.2.7"), { protocol: "TCP", port: 80 })).toBe(false);
  expect(reaches(withExample, edge, outside("192.0.2.7"), https)).toBe(false);
  expect(letThrough(withExample)).toEqual(TABLE);
});
