/** A server that all processes of a simulated cluster share, such as the database, as they reach it. */
import type { Gate } from "./virtual-clock.ts";

export interface SharedServer {
  /** `work` is what the server does. `again`: given for a write, makes one outcome of two identical ones. */
  call<T>(from: string, gate: Gate, work: () => Promise<T>, again?: (first: T, second: T) => T): Promise<T>;
  /** Whether what it says by itself gets to the process at that address. */
  reaches(from: string): boolean;
  /** Whether it answers nobody, and says nothing either. */
  isDown(): boolean;
}
