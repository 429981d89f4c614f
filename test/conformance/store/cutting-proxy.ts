/** Stands between a client and a server, and can cut off an answer: the write is done, and nobody is told. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface CuttingProxy {
  readonly port: number;
  /** Swallows the server's next answer to a statement with this in its bytes, and closes that connection. */
  cutAnswerTo(statement: string): void;
  /** How many answers were cut off. */
  readonly cuts: number;
  close(): Promise<void>;
}

export async function startCuttingProxy(host: string, port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let awaited: string | null = null;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(port, host);
    let cutting = false;
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
      upstream.write(sent);
    });
    upstream.on("data", (answer) => {
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
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
