/** A TCP proxy that can be told to misbehave: before Redis, before MySQL, or before a node. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export type Direction = "to-server" | "to-client";

export interface FaultProxy {
  readonly port: number;
  readonly address: string;
  /** Each piece of data is passed on so much later, in order. */
  delay(ms: number): void;
  /** Swallows what goes that way: the connection stays open, and one side hears nothing. */
  swallow(direction: Direction | null): void;
  /** Ends all connections; later ones work. */
  cut(): void;
  /** Ends all connections, and each later one as soon as it comes, until `heal`: the server looks present, and broken. */
  breakDown(): void;
  /** Ends all connections, and listens no more, until `heal`: the server looks gone. */
  refuse(): Promise<void>;
  /** Cuts the connection on which a client next sends this, right after passing it on: it is carried out, and nobody is told. */
  cutAfter(text: string): void;
  /** Passes on only the first half of what a client next sends with this in it, and nothing after, until `heal`: the client froze in mid-write. */
  halve(text: string): void;
  /** How often `cutAfter` and `halve` have struck. */
  readonly strikes: number;
  heal(): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let delayMs = 0;
  let swallowed: Direction | null = null;
  let isBroken = false;
  let awaited: { readonly text: string; readonly effect: "cut" | "hold" } | null = null;
  let strikes = 0;
  let hasHeld = false;
  let server: Server;

  const cutAll = () => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
    pairs.clear();
  };

  const accept = (client: Socket) => {
    if (isBroken) {
      client.on("error", () => {});
      client.destroy();
      return;
    }
    const upstream = connect({ ...target, noDelay: true });
    client.setNoDelay(true);
    const pair = { client, upstream };
    pairs.add(pair);
    for (const socket of [client, upstream]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
    let isHeld = false;
    const pass = (from: Socket, to: Socket, direction: Direction) => {
      const send = (data: Buffer) => {
        if (!to.destroyed && !to.write(data)) from.pause();
      };
      from.on("data", (data: Buffer) => {
        if (swallowed === direction || isHeld) return;
        const struck =
          direction === "to-server" && awaited !== null && data.includes(awaited.text)
            ? awaited.effect
            : null;
        if (struck !== null) {
          awaited = null;
          strikes++;
        }
        if (struck === "hold") {
          isHeld = true;
          hasHeld = true;
          return send(data.subarray(0, data.length >> 1));
        }
        if (delayMs > 0) setTimeout(() => send(data), delayMs);
        else send(data);
        // The client hears nothing more; the server has what it was sent.
        if (struck === "cut") setImmediate(() => client.destroy());
      });
      to.on("drain", () => from.resume());
    };
    pass(client, upstream, "to-server");
    pass(upstream, client, "to-client");
  };

  const listen = async (port: number): Promise<number> => {
    server = createServer(accept);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port was given");
    return address.port;
  };
  const stopListening = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    cutAll();
    await closed;
  };

  const port = await listen(0);
  return {
    port,
    address: `127.0.0.1:${port}`,
    delay(ms) {
      delayMs = ms;
    },
    swallow(direction) {
      swallowed = direction;
    },
    cut: cutAll,
    breakDown() {
      isBroken = true;
      cutAll();
    },
    refuse: stopListening,
    cutAfter(text) {
      awaited = { text, effect: "cut" };
    },
    halve(text) {
      awaited = { text, effect: "hold" };
    },
    get strikes() {
      return strikes;
    },
    async heal() {
      delayMs = 0;
      // What was swallowed is missing from those connections: they are of no more use.
      if (swallowed !== null || hasHeld) cutAll();
      swallowed = null;
      hasHeld = false;
      isBroken = false;
      awaited = null;
      if (!server.listening) await listen(port);
    },
    close: stopListening,
  };
}
