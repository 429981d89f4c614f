import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { quote } from "../../core/errors.ts";

const GRPC = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Refuses a time that no call can have, before its body is read: the adapter speaks of its protocol's rules, and lets 0 run out without a word. */
export function refuseBadTimeout({ requestHeader, protocolName }: HandlerContext, maxMs: number): void {
  const name = protocolName === "connect" ? "connect-timeout-ms" : "grpc-timeout";
  const given = requestHeader.get(name);
  if (given === null) return;
  const ms = protocolName === "connect" ? wholeMs(given) : grpcMs(given);
  if (ms !== null && ms > 0 && ms <= maxMs) return;
  const accepted =
    protocolName === "connect"
      ? `a whole number of milliseconds from 1 to ${maxMs} is accepted`
      : `up to eight digits and a unit (H, M, S, m, u or n), more than 0 and up to ${maxMs / 3_600_000}H, are accepted`;
  // Of a caller that has no time left, this is what it expects to hear.
  const code = ms === 0 ? Code.DeadlineExceeded : Code.InvalidArgument;
  throw new ConnectError(`${name}: is ${quote(given)}; ${accepted}`, code);
}

function wholeMs(text: string): number | null {
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function grpcMs(text: string): number | null {
  const [, amount, unit = ""] = GRPC.exec(text) ?? [];
  return amount === undefined ? null : Number(amount) * (UNIT_MS[unit] ?? 0);
}
