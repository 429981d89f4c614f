/** What a caller may do. Each role may do what those before it may. */
export const ROLES = ["read", "write", "operate"] as const;
export type Role = (typeof ROLES)[number];

/** The least role for each method of the API. */
const NEEDED: Readonly<Record<string, Role>> = {
  GetJobStatus: "read",
  GetAllJobs: "read",
  GetAllResult: "read",
  PreviewSchedule: "read",
  WatchJob: "read",
  GetJobLog: "read",
  WatchJobLog: "read",
  GetCluster: "read",
  WatchCluster: "read",
  ServerReflectionInfo: "read",
  GetHandlers: "read",
  AddJob: "write",
  AddJobs: "write",
  StreamAddJobs: "write",
  UpdateJob: "write",
  PutJob: "write",
  PutJobSet: "write",
  DeleteJob: "write",
  PauseJob: "write",
  ResumeJob: "write",
  TriggerJob: "write",
  CancelJob: "write",
  RetryJob: "write",
  GetAudit: "operate",
  DrainNode: "operate",
  UndrainNode: "operate",
};

/** A method that is not named, as one that was just added, is nobody's but an operator's. */
export function neededRole(method: string): Role {
  return Object.hasOwn(NEEDED, method) ? (NEEDED[method] ?? "operate") : "operate";
}

export function mayDo(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
