/** Stands between a client and a server. It can cut off an answer (the write is done, and nobody is told), or freeze the client. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Frozen {
  /** How much the client had to say after that. */
  readonly heldBytes: number;
}

export interface CuttingProxy {
  readonly port: number;
  /** Swallows the server's next answer to a statement with this in its bytes, and closes that connection. */
  cutAnswerTo(statement: string): void;
  /** How many answers were cut off. */
  readonly cuts: number;
  /** Once the next packet with this in its bytes is answered, nothing is passed on that comes from the same connection. */
  freezeAfter(statement: string): Frozen;
  close(): Promise<void>;
}

export async function startCuttingProxy(host: string, port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let awaited: string | null = null;
  let cuts = 0;
  let freezing: { readonly statement: string; heldBytes: number } | null = null;
  const server = createServer((client) => {
    const upstream = connect(port, host);
    let cutting = false;
    let frozen: typeof freezing = null;
    let isFrozen = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (sent) => {
      if (awaited !== null && sent.includes(awaited)) {
        cutting = true;
        awaited = null;
      }
      if (frozen !== null && isFrozen) {
        frozen.heldBytes += sent.length;
        return;
      }
      if (freezing !== null && sent.includes(freezing.statement)) {
        frozen = freezing;
        freezing = null;
      }
      upstream.write(sent);
    });
    upstream.on("data", (answer) => {
      isFrozen = frozen !== null;
      if (!cutting) {
        client.write(answer);
        return;
      }
      cuts++;
      client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    port: address.port,
    cutAnswerTo(statement) {
      awaited = statement;
    },
    get cuts() {
      return cuts;
    },
    freezeAfter(statement) {
      freezing = { statement, heldBytes: 0 };
      return freezing;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
