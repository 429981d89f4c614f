/** PORT's default: the node that has it needs no more than the host's name. */
const USUAL_PORT = 7070;

/**
 * A node's name when NODE_ID gives it none. It stays over restarts, so that results name a node that can be found: the
 * host's name, with the port of a second node there. Only where not even the port stays does a name say which process.
 */
export function defaultNodeName(node: {
  readonly host: string;
  /** As it is set; 0: any free one. */
  readonly port: number;
  readonly incarnation: string;
  /** It shares its database with no other node. */
  readonly isEmbedded: boolean;
}): string {
  const { host, port, incarnation, isEmbedded } = node;
  if (isEmbedded || port === USUAL_PORT) return host;
  return port === 0 ? `${host}-${incarnation.slice(0, 6)}` : `${host}:${port}`;
}
