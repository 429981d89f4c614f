/** An edge's log: lines of JSON, as a node's, without a package for it; Deno's edge has the same. */
const line = (level: string, write: (text: string) => void) => (fields: object, message: string) =>
  write(JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: message }));

export const edgeOutput = {
  debug() {},
  info: line("info", (text) => console.log(text)),
  warn: line("warn", (text) => console.error(text)),
  error: line("error", (text) => console.error(text)),
};
