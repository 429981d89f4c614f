import type { Identity, MasterStream, Network, NodeStream, StreamHandler } from "./network.ts";

/**
 * A network on which this process reaches itself directly: the master's own node needs no socket.
 * `accept` takes in a stream to this process's master; null: it is not master.
 */
export function withOwnProcess(
  network: Network,
  own: {
    /** Its `ip:port`; empty until it listens. */
    readonly address: () => string;
    readonly accept: (stream: MasterStream) => StreamHandler | null;
    readonly identity: () => Identity | Promise<Identity>;
  },
): Network {
  return {
    openStream: (address, on) =>
      address === own.address() ? openDirectly(own.accept, on) : network.openStream(address, on),
    identify: async (address, ...how) =>
      address === own.address() ? own.identity() : network.identify(address, ...how),
  };
}

function openDirectly(
  accept: (stream: MasterStream) => StreamHandler | null,
  on: Parameters<Network["openStream"]>[1],
): NodeStream {
  let isOpen = true;
  let handler: StreamHandler | null = null;
  // Never within the call that caused it: as over a wire, each side goes on first.
  const later = (deliver: () => void) =>
    queueMicrotask(() => {
      if (isOpen) deliver();
    });
  const close = (reason: string) => {
    if (!isOpen) return;
    isOpen = false;
    queueMicrotask(() => {
      handler?.closed();
      on.closed(reason);
    });
  };
  handler = accept({
    send: (message) => later(() => on.message(message)),
    close: () => close("closed by the master"),
  });
  if (handler === null) close("this process is not master");
  return {
    send: (message) => later(() => handler?.message(message)),
    close: () => close("closed by the node"),
  };
}
