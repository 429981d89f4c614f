/** A way to a server that can be cut, stopped, and led to another server: for what clients do about it. */
import net from "node:net";

export interface SwitchedProxy {
  readonly url: string;
  /** The port that new connections are led to; null: they are cut. */
  target: number | null;
  /** Cuts all connections. */
  cut(): void;
  close(): Promise<void>;
}

export async function startSwitchedProxy(target: number): Promise<SwitchedProxy> {
  const sockets = new Set<net.Socket>();
  const keep = (socket: net.Socket): net.Socket => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const server = net.createServer((socket) => {
    keep(socket);
    if (proxy.target === null) return socket.destroy();
    const onward = keep(net.connect(proxy.target, "127.0.0.1"));
    socket.pipe(onward).pipe(socket);
    socket.on("close", () => onward.destroy());
    onward.on("close", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: SwitchedProxy = {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    target,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      proxy.cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
