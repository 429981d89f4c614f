/**
 * 200 jobs in 20 time zones over five simulated years, on a cluster whose nodes and masters die at
 * random: `npm run simulate:years`, with a seed of your choice: `npm run simulate:years -- 7`.
 */
import { simulateYears } from "./years-verdict.ts";

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 1e9));
const days = Number(process.argv[3] ?? 1826);
const startedAt = performance.now();
console.log(`seed ${seed}`);
const { found, counts } = await simulateYears({
  seed,
  start: Date.UTC(2026, 0, 1),
  days,
  jobs: 200,
  zones: 20,
  hoursBetweenFaults: 12,
});
for (const [name, count] of Object.entries(counts)) console.log(`${String(count).padStart(9)} ${name}`);
for (const violation of found.slice(0, 40)) console.log(violation);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(`${found.length} violations, ${days} days in ${seconds} s (seed ${seed})`);
process.exitCode = found.length === 0 ? 0 : 1;
