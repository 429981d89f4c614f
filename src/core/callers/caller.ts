/**
 * Who makes a call, as far as it is known. It is for the audit and the log: what a caller may do was decided before,
 * by his token. A node that forwards a call says it to the master, which believes it on a proved connection only.
 */
export interface Caller {
  /** Of his token; where none is asked for, THIS_MACHINE or ANYBODY. */
  readonly name: string;
  /** Where his connection came from, as the node saw it that took the call. */
  readonly address: string;
  /** For whom he says to call, as an edge does. Whoever calls a node himself can say anything here. Empty: nobody said. */
  readonly forwardedFor: string;
}

/** Names that no token has: those of tokens have no spaces, and ANYBODY is refused as one. */
export const THIS_MACHINE = "this machine";
export const ANYBODY = "anybody";

/** A node that puts the schedules of its module. */
export function schedulesOfNode(nodeId: string): Caller {
  return callerOf(`schedules of ${nodeId}`.slice(0, LONGEST_NAME), "", null);
}

/** A handler of the node that adds a job. */
export function jobsOfNode(nodeId: string): Caller {
  return callerOf(`jobs of ${nodeId}`.slice(0, LONGEST_NAME), "", null);
}

/** Of a call that was forwarded by a node which did not say, as an older one does not. */
export const NOT_SAID: Caller = { name: "not said", address: "", forwardedFor: "" };

const LONGEST_NAME = 64;
const LONGEST_ADDRESS = 64;
const LONGEST_FORWARDED_FOR = 64;
const PLAIN = /^[\x21-\x7e]*$/;

export function callerOf(name: string, remote: string, said: string | null): Caller {
  return {
    name,
    address: plain(remote, LONGEST_ADDRESS),
    forwardedFor: plain(said ?? "", LONGEST_FORWARDED_FOR),
  };
}

/** As one header carries it. */
export function callerText({ name, address, forwardedFor }: Caller): string {
  return [name, address, forwardedFor].map(encodeURIComponent).join(",");
}

/** NOT_SAID for what is none. */
export function readCallerText(text: string | null): Caller {
  const parts = (text ?? "").split(",");
  if (parts.length !== 3) return NOT_SAID;
  try {
    const [name = "", address = "", forwardedFor = ""] = parts.map(decodeURIComponent);
    if (name === "" || name.length > LONGEST_NAME) return NOT_SAID;
    return callerOf(name, address, forwardedFor);
  } catch {
    return NOT_SAID;
  }
}

/** What others have written: a part of it, or what is no address at all, would mislead. */
function plain(text: string, most: number): string {
  return text.length <= most && PLAIN.test(text) ? text : "";
}
