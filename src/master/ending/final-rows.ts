import type { JobRecord, ResultRecord } from "../../core/job.ts";
import type { EndLog } from "../../core/log/end-log.ts";
import type { MasterContext } from "../context.ts";

/** A claim that the master ends, and the row by which it does. */
export interface MasterEnd {
  readonly record: JobRecord;
  readonly row: ResultRecord;
  /** Why the occurrence is not tried again; unset: it is, or the row's outcome says so. */
  readonly whyOver?: string;
}

/** Writes the rows by which a master ends claims, and says of each that counts what it ended. */
export class FinalRows {
  private readonly context: MasterContext;
  private readonly parts: {
    readonly ends: EndLog;
    /** The name of a node by its number; empty: nobody's. */
    readonly nodeIdOf: (number: number) => string;
  };

  constructor(context: MasterContext, parts: FinalRows["parts"]) {
    this.context = context;
    this.parts = parts;
  }

  /** Where a row is there already, that one counts. */
  async write(written: readonly MasterEnd[]): Promise<void> {
    if (written.length === 0) return;
    const { store, epoch } = this.context;
    const { ends, nodeIdOf } = this.parts;
    const writes = await store.writeFinalRows(
      epoch,
      written.map(({ row }) => row),
    );
    for (const [index, { record, row, whyOver = "" }] of written.entries()) {
      if (writes[index] !== "first") continue;
      const { name, handler } = record.spec;
      ends.say({ row, name, handler, node: nodeIdOf(row.node), epoch, whyOver });
    }
  }
}
