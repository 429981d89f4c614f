/** A time of day, and the local times of a daily schedule. */
import type { Counted, LocalTimes } from "./local-schedule.ts";

const DAY_MS = 86_400_000;

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
  const timeOfDayMs = secondOfDay * 1000;
  const next = (local: number) => Math.ceil((local - timeOfDayMs) / DAY_MS) * DAY_MS + timeOfDayMs;
  const within = (from: number, to: number): Counted => {
    const last = next(to) - DAY_MS;
    const count = Math.max(0, (last - next(from)) / DAY_MS + 1);
    return { count, last: count > 0 ? last : null, beforeLast: count > 1 ? last - DAY_MS : null };
  };
  return { next, within };
}
