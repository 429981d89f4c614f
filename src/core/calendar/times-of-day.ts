/** The times of day that a cron expression names: every combination of its hours, minutes and seconds, in order. */
export class TimesOfDay {
  readonly size: number;
  private readonly hours: Chosen;
  private readonly minutes: Chosen;
  private readonly seconds: Chosen;

  /** Each as 0s and 1s: whether the hour, minute or second of that number is among them. */
  constructor(hours: readonly number[], minutes: readonly number[], seconds: readonly number[]) {
    this.hours = choose(hours);
    this.minutes = choose(minutes);
    this.seconds = choose(seconds);
    this.size = this.hours.values.length * this.minutes.values.length * this.seconds.values.length;
  }

  /** How many come before a second of the day, which may lie outside the day. */
  countBefore(second: number): number {
    if (second <= 0) return 0;
    if (second >= 86_400) return this.size;
    const { hours, minutes, seconds } = this;
    const hour = Math.floor(second / 3600);
    const minute = Math.floor(second / 60) % 60;
    const ofMinute = seconds.values.length;
    let count = countBelow(hours, hour) * minutes.values.length * ofMinute;
    if (!has(hours, hour)) return count;
    count += countBelow(minutes, minute) * ofMinute;
    return has(minutes, minute) ? count + countBelow(seconds, second % 60) : count;
  }

  /** In seconds after midnight; the first one is number 0. */
  at(index: number): number {
    const { hours, minutes, seconds } = this;
    const ofMinute = seconds.values.length;
    const ofHour = minutes.values.length * ofMinute;
    const hour = hours.values[Math.floor(index / ofHour)] ?? 0;
    const minute = minutes.values[Math.floor(index / ofMinute) % minutes.values.length] ?? 0;
    return (hour * 60 + minute) * 60 + (seconds.values[index % ofMinute] ?? 0);
  }
}

interface Chosen {
  readonly values: readonly number[];
  /** How many are less than each number. */
  readonly below: readonly number[];
}

function choose(flags: readonly number[]): Chosen {
  const values: number[] = [];
  const below: number[] = [];
  for (const [number, flag] of flags.entries()) {
    below.push(values.length);
    if (flag) values.push(number);
  }
  below.push(values.length);
  return { values, below };
}

function countBelow(chosen: Chosen, number: number): number {
  return chosen.below[number] ?? chosen.values.length;
}

function has(chosen: Chosen, number: number): boolean {
  return countBelow(chosen, number + 1) > countBelow(chosen, number);
}
