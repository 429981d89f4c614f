/** HTTP/2 connections on which nobody says anything. Time is turned by hand. */
import { once } from "node:events";
import http2, { type ClientHttp2Session, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Http2Sessions } from "../../../src/http2-sessions.ts";
import { ManualClock } from "../../fixtures/manual-clock.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

async function connect() {
  const clock = new ManualClock();
  const sessions = new Http2Sessions({ clock, logger: silentLogger, handshakeMs: 10_000 });
  const server = http2.createServer();
  server.on("stream", (stream) => stream.on("error", () => {}));
  const opened = once(server, "session") as Promise<[ServerHttp2Session]>;
  server.on("session", (session) => sessions.add(session, () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on("error", () => {});
  onTestFinished(() => {
    client.destroy();
    sessions.destroy();
    server.close();
  });
  const [session] = await opened;
  await once(session, "remoteSettings");
  return { clock, client, session };
}

function openCall(client: ClientHttp2Session, session: ServerHttp2Session): Promise<unknown> {
  const stream = client.request({ ":method": "POST", ":path": "/" });
  stream.on("error", () => {});
  return once(session, "stream");
}

test("one that has had no call for a while is closed", async () => {
  const { clock, session } = await connect();
  clock.move(70_000);
  expect(session.closed).toBe(false);
  clock.move(20_000);
  expect(session.closed).toBe(true);
});

test("one that answers pings stays, however long its calls say nothing", async () => {
  const { clock, client, session } = await connect();
  await openCall(client, session);
  let pings = 0;
  client.on("ping", () => pings++);
  for (let sweep = 0; sweep < 30; sweep++) {
    clock.move(10_000);
    // The answer to the server's ping comes before the server's to this one.
    await new Promise<void>((resolve, reject) =>
      client.ping((error) => (error === null ? resolve() : reject(error))),
    );
    expect(session.destroyed).toBe(false);
  }
  expect(pings).toBe(10);
});

test("one whose other side answers no ping is destroyed, not at the first look after it", async () => {
  const { clock, client, session } = await connect();
  await openCall(client, session);

  // As of a process that hangs.
  session.ping = (() => true) as typeof session.ping;
  clock.move(30_000);
  clock.move(10_000);
  expect(session.destroyed).toBe(false);
  clock.move(10_000);
  expect(session.destroyed).toBe(true);
});
