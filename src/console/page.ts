/** The plain page at `/`: what to try. One document, nothing loaded from elsewhere. `origin`: the edge's own. `nonce`: by which its policy lets its style apply. */
export function consolePage(origin: string, nonce = ""): string {
  const blocks = EXAMPLES.map(({ title, text, method, body }) => {
    const line = `curl -X POST ${origin}/JobService/${method} -d '${body}'`;
    return `<section><h2>${escape(title)}</h2><p>${escape(text)}</p><pre><code>${escape(line)}</code></pre></section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Elastic Job</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<header><h1>Elastic Job</h1><p>Immediate, timed, daily, cron and interval jobs. This process is up; try it:</p></header>
${blocks.join("\n")}
<footer>Is it ready? <a href="/readyz">/readyz</a> · Is it up? <a href="/healthz">/healthz</a></footer>
</main>
</body>
</html>
`;
}

const EXAMPLES = [
  {
    title: "Run something now",
    text: "The answer comes after the job is committed, with its jobId.",
    method: "AddJob",
    body: '{"handler": "echo", "payload": {"hello": "world"}}',
  },
  {
    title: "Run it in ten seconds",
    text: 'Or at an instant: {"runAt": "2030-01-01T08:00:00Z"}.',
    method: "AddJob",
    body: '{"handler": "echo", "timed": {"delay": "10s"}}',
  },
  {
    title: "Run it every day",
    text: "At a local time, whatever the clocks do there.",
    method: "AddJob",
    body: '{"name": "good-morning", "handler": "echo", "daily": {"at": "08:30", "timeZone": "Asia/Shanghai"}}',
  },
  {
    title: "See where a job stands",
    text: "With the jobId that AddJob returned, in place of 1.",
    method: "GetJobStatus",
    body: '{"jobId": "1"}',
  },
  { title: "List the jobs", text: "Newest first.", method: "GetAllJobs", body: "{}" },
  {
    title: "List the results",
    text: 'Of all jobs, or of one: {"jobId": "1"}.',
    method: "GetAllResult",
    body: "{}",
  },
];

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#dfe3ea, #30363d); --soft: light-dark(#f5f7fa, #161b22); --quiet: light-dark(#57606a, #9da7b3); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#fff, #0d1117); color: light-dark(#1f2328, #e6edf3); }
main { max-width: 48rem; margin: 0 auto; padding: 2.5rem 1.25rem; }
h1 { margin: 0; font-size: 1.75rem; letter-spacing: -0.02em; }
h2 { margin: 1.75rem 0 0; font-size: 1rem; }
p, footer { margin: 0.25rem 0 0.5rem; color: var(--quiet); }
pre { margin: 0; padding: 0.75rem 1rem; overflow-x: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 0.5rem; }
code { font: 0.875rem/1.5 ui-monospace, monospace; user-select: all; }
footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 0.875rem; }
a { color: light-dark(#0969da, #58a6ff); }
`;

function escape(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
