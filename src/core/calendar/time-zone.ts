/** Names of time zones: which are accepted, and which was probably meant. */

import { quote } from "../errors.ts";
import { editDistance, mostDistance } from "../nearest-name.ts";
import { hasZone, isNoZone } from "./zone-segment.ts";

const LONGEST_NAME = 64;

/** The name in its usual spelling ("asia/shanghai" gives "Asia/Shanghai"); null: no such zone. */
export function findTimeZone(name: string): string | null {
  // Temporal also takes offsets such as "+08:00", which are no IANA zones.
  if (name.length > LONGEST_NAME || !/^[A-Za-z]/.test(name) || isNoZone(name)) return null;
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId;
  } catch {
    // The zone may be newer than the runtime.
    return hasZone(name) ? name : null;
  }
}

/** Says what is wrong with a name that `findTimeZone` does not know, with the nearest one that it does. */
export function describeUnknownTimeZone(name: string): string {
  const nearest = nearestTimeZone(name);
  const accepted = 'an IANA time zone such as "Europe/Berlin" or "UTC" is accepted';
  return nearest
    ? `${quote(name)} is not a known time zone (did you mean "${nearest}"?); ${accepted}`
    : `${quote(name)} is not a known time zone; ${accepted}`;
}

function nearestTimeZone(name: string): string | null {
  if (name.length === 0 || name.length > LONGEST_NAME) return null;
  const asked = comparable(name);
  let nearest: string | null = null;
  let nearestDistance = mostDistance(asked) + 1;
  for (const zone of ["UTC", ...Intl.supportedValuesOf("timeZone")]) {
    const known = comparable(zone);
    // "Shanghai" is a usual way to write "Asia/Shanghai".
    const city = known.slice(known.lastIndexOf("/") + 1);
    const distance = Math.min(editDistance(asked, known), editDistance(asked, city));
    if (distance < nearestDistance) {
      nearest = zone;
      nearestDistance = distance;
    }
  }
  return nearest;
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll(/[ _-]+/g, "_");
}
