/**
 * What NetworkPolicies let through, by the rules of the API: a pod that no policy selects for a direction is open in it; one
 * that some select is reached, or reaches, only by what one of their rules names; both ends must agree. What these rules leave
 * out here (named ports, expressions, ranges) is an error, so that nothing is passed over.
 */
import { BlockList } from "node:net";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "kubernetes-types/networking/v1.js";

type Labels = Readonly<Record<string, string>>;

/** A pod, or, without a namespace, an address outside of the cluster. */
export interface Place {
  readonly address: string;
  readonly namespace: string | null;
  /** But for the one that has its name, which every namespace has. */
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
}

export interface Port {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

export function reaches(policies: readonly NetworkPolicy[], from: Place, to: Place, port: Port): boolean {
  const sent = policiesOf(policies, from, "Egress");
  const received = policiesOf(policies, to, "Ingress");
  return (
    (sent.length === 0 ||
      sent.some(({ metadata, spec }) =>
        (spec?.egress ?? []).some(
          (rule) => namesPlace(rule.to, to, metadata?.namespace) && namesPort(rule.ports, port),
        ),
      )) &&
    (received.length === 0 ||
      received.some(({ metadata, spec }) =>
        (spec?.ingress ?? []).some(
          (rule) => namesPlace(rule.from, from, metadata?.namespace) && namesPort(rule.ports, port),
        ),
      ))
  );
}

function policiesOf(policies: readonly NetworkPolicy[], place: Place, direction: "Ingress" | "Egress") {
  return policies.filter(({ metadata, spec }) => {
    if (spec === undefined || metadata?.namespace === undefined) throw new Error("a policy has no namespace");
    const types = spec.policyTypes ?? ["Ingress", ...(spec.egress === undefined ? [] : ["Egress"])];
    return (
      metadata.namespace === place.namespace &&
      types.includes(direction) &&
      selects(spec.podSelector, place.labels)
    );
  });
}

/** No peers at all name everybody. */
function namesPlace(
  peers: readonly NetworkPolicyPeer[] | undefined,
  place: Place,
  ownNamespace: string | undefined,
) {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock !== undefined)
      return contains([ipBlock.cidr], place) && !contains(ipBlock.except ?? [], place);
    if (place.namespace === null) return false;
    const isNamespace =
      namespaceSelector === undefined
        ? place.namespace === ownNamespace
        : selects(namespaceSelector, {
            ...place.namespaceLabels,
            "kubernetes.io/metadata.name": place.namespace,
          });
    return isNamespace && (podSelector === undefined || selects(podSelector, place.labels));
  });
}

function namesPort(ports: readonly NetworkPolicyPort[] | undefined, { protocol, port }: Port): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some((one) => {
    if (typeof one.port === "string" || one.endPort !== undefined) throw new Error("a port is no number");
    return (one.protocol ?? "TCP") === protocol && (one.port === undefined || one.port === port);
  });
}

function contains(networks: readonly string[], { address }: Place): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [start = "", length] = network.split("/");
    list.addSubnet(start, Number(length), start.includes(":") ? "ipv6" : "ipv4");
  }
  return list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  if (matchExpressions.length > 0) throw new Error("a selector has expressions");
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}
