import { ElasticJobError } from "../../core/errors.ts";
import type { NodeRecord } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";

/**
 * The small number that stands for an incarnation in the database's rows. Each process enters itself; so one that is
 * found here shares this database with the master, and one that is not belongs to another cluster.
 */
export class NodeNumbers {
  private readonly context: MasterContext;
  private readonly byIncarnation = new Map<string, number>();
  private readonly nodeIds = new Map<number, string>();
  private readonly incarnations = new Map<number, string>();

  constructor(context: MasterContext) {
    this.context = context;
  }

  load(nodes: readonly NodeRecord[]): void {
    for (const node of nodes) this.remember(node.number, node.incarnation, node.nodeId);
  }

  /** Throws `failed_precondition` for a process that has not entered itself in this database. */
  async of(incarnation: string, nodeId: string): Promise<number> {
    const number = await this.find(incarnation, nodeId);
    if (number === null) throw notOurs();
    return number;
  }

  /** Null: it has not entered itself in this database. */
  async find(incarnation: string, nodeId = ""): Promise<number | null> {
    const known = this.byIncarnation.get(incarnation);
    if (known !== undefined) return known;
    const number = await this.context.store.findNode(incarnation);
    if (number !== null) this.remember(number, incarnation, nodeId);
    return number;
  }

  /** Undefined: nobody. */
  incarnationOf(number: number): string | undefined {
    return this.incarnations.get(number);
  }

  /** Empty: nobody. */
  nodeIdOf(number: number): string {
    return this.nodeIds.get(number) ?? "";
  }

  private remember(number: number, incarnation: string, nodeId: string): void {
    this.byIncarnation.set(incarnation, number);
    this.nodeIds.set(number, nodeId);
    this.incarnations.set(number, incarnation);
  }
}

function notOurs(): ElasticJobError {
  return new ElasticJobError(
    "failed_precondition",
    "this node has not entered itself in the master's database: it uses another one",
  );
}
