/**
 * How a node stops taking jobs: because its master says so, who may take that back, or because its process leaves, which
 * nobody takes back.
 */
import { type Clock, sleep } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { letJobsEnd } from "./let-jobs-end.ts";
import type { NodeReport } from "./node-report.ts";
import type { ResultWriter } from "./result-writer.ts";
import type { Runner } from "./runner.ts";

/** How long a node that leaves waits for the master to take in the end of its last claims. */
const FAREWELL_MS = 1000;

export interface DrainingParts {
  readonly runner: Runner;
  readonly report: NodeReport;
  readonly writer: ResultWriter;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Draining {
  private readonly parts: DrainingParts;
  private isDraining = false;
  private isLeaving = false;
  /** Of the draining that is under way. */
  private undrained = new AbortController();

  constructor(parts: DrainingParts) {
    this.parts = parts;
  }

  get isUnderWay(): boolean {
    return this.isDraining;
  }

  /** The master's wish. */
  begin(): void {
    if (!this.isDraining) void this.drain();
  }

  /** Takes jobs again, unless it is about to stop. */
  undrain(): void {
    if (!this.isDraining || this.isLeaving) return;
    this.isDraining = false;
    this.undrained.abort();
    this.parts.logger.info({}, "taking jobs again");
    this.parts.report.queue();
  }

  /** Takes no more jobs, lets running ones end, hands the rest back, then has all of it written and told. */
  async leave(): Promise<void> {
    const { clock, writer, runner, graceMs } = this.parts;
    this.isLeaving = true;
    await this.drain();
    await writer.stop(graceMs);
    const acknowledged = new AbortController();
    void runner.whenForgotten().then(() => acknowledged.abort());
    await sleep(clock, FAREWELL_MS, acknowledged.signal);
  }

  private async drain(): Promise<void> {
    this.isDraining = true;
    this.undrained = new AbortController();
    const { runner, report, clock, logger, graceMs } = this.parts;
    const ended = letJobsEnd(runner, { clock, logger, graceMs, undrained: this.undrained.signal });
    report.queue();
    await ended;
  }
}
