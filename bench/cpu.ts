/** CPU time and memory of processes, as Linux tells them; zero elsewhere. */
import { readdirSync, readFileSync } from "node:fs";

/** Of USER_HZ, which is 100 on every Linux that Node runs on. */
const MS_A_TICK = 10;

/** Milliseconds of CPU that a process and its children (PostgreSQL has one a connection) have used. */
export function cpuMs(pid: number): number {
  let ticks = ticksOf(pid, true);
  for (const child of childrenOf(pid)) ticks += ticksOf(child, false);
  return ticks * MS_A_TICK;
}

export function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kb ?? 0) / 1024;
}

function ticksOf(pid: number, withEnded: boolean): number {
  // The name in brackets can hold spaces; what follows is numbers.
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ").map(Number) ?? [];
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return user + system + (withEnded ? endedUser + endedSystem : 0);
}

function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
