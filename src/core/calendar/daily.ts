/** A time of day, and the local times of a daily schedule. */
import type { LocalTimes } from "./local-schedule.ts";
import { periodicTimes } from "./periodic-times.ts";

const DAY_MS = 86_400_000;
/** The first midnight that a Date can carry: before all that can be asked about. */
const FIRST_MIDNIGHT = -1e8 * DAY_MS;

/** Seconds after midnight of "HH:MM" or "HH:MM:SS"; null: it is neither, or out of range. */
export function parseTimeOfDay(text: string): number | null {
  const match = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
  if (!match) return null;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  return hour < 24 && minute < 60 && second < 60 ? (hour * 60 + minute) * 60 + second : null;
}

/** "HH:MM", with ":SS" only where there are seconds. */
export function formatTimeOfDay(secondOfDay: number): string {
  const time = new Date(secondOfDay * 1000).toISOString().slice(11, 19);
  return time.endsWith(":00") ? time.slice(0, 5) : time;
}

export function dailyTimes(secondOfDay: number): LocalTimes {
  return periodicTimes(FIRST_MIDNIGHT + secondOfDay * 1000, DAY_MS);
}
