/** `npm run attack`: each attack against a real cluster without any setting for it, and what stopped it. Exits with 1 when one succeeds. */
import { startTestServers } from "../../scripts/test-servers.ts";
import makeRedisAccount from "../servers/least-rights.ts";
import { startAttackedCluster } from "./attacked-cluster.ts";
import { ATTACKS } from "./attacks.ts";

const servers = await startTestServers();
Object.assign(process.env, servers.environment);
await makeRedisAccount();
const cluster = await startAttackedCluster();
let succeeded = 0;
try {
  for (const { name, run } of ATTACKS) {
    const startedAt = performance.now();
    const outcome = await run(cluster).catch((error: Error) => {
      succeeded++;
      return `NOT STOPPED: ${error.message}`;
    });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${seconds.padStart(5)} s  ${name.padEnd(74)} ${outcome}`);
  }
} finally {
  await cluster.stop();
  await servers.stop();
}
console.log(`${ATTACKS.length} attacks, ${succeeded} not stopped`);
process.exitCode = succeeded === 0 ? 0 : 1;
