import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import type { MasterContext } from "../context.ts";

/** The small number that stands for an incarnation in the database's rows. */
export class NodeNumbers {
  private readonly context: MasterContext;
  private readonly byIncarnation = new Map<string, number>();
  private readonly nodeIds = new Map<number, string>();
  private readonly incarnations = new Map<number, string>();
  private readonly adding = new OneAtATime<string, number>();
  /** Numbers whose write may or may not have been carried out. */
  private readonly reserved = new Map<string, number>();
  private next = 1;

  constructor(context: MasterContext) {
    this.context = context;
  }

  async load(): Promise<void> {
    for (const node of await this.context.store.readNodes()) {
      this.remember(node.number, node.incarnation, node.nodeId);
    }
  }

  /** Gives a number to an incarnation that has none. */
  async of(incarnation: string, nodeId: string): Promise<number> {
    const known = this.byIncarnation.get(incarnation);
    if (known !== undefined) return known;
    // Two hellos at once, or one more after an unknown outcome, must not make two numbers of one.
    return this.adding.share(incarnation, () => this.add(incarnation, nodeId));
  }

  private async add(incarnation: string, nodeId: string): Promise<number> {
    const number = this.reserved.get(incarnation) ?? this.next++;
    this.reserved.set(incarnation, number);
    await this.context.store.addNode(this.context.epoch, { number, incarnation, nodeId });
    this.reserved.delete(incarnation);
    this.remember(number, incarnation, nodeId);
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
    this.next = Math.max(this.next, number + 1);
  }
}
