# Two images from one file: `node` (the default, and the last stage) and `edge`.
#   docker build -t elastic-job .
#   docker build -t elastic-job-edge --target edge .

# What package-lock.json asks for, apart from the sources: they change more often than it does.
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package needs its install script, and the image has a Node of its own: the clone's is a development dependency.
RUN --mount=type=cache,target=/root/.npm \
  npm ci --omit=dev --ignore-scripts --loglevel=error \
  && rm -f node_modules/.package-lock.json \
  && find node_modules \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.cts" -o -name "*.d.mts" -o -name "*.md" \) -type f -delete

# The edge needs four of them, in the form that Deno imports.
FROM packages AS edge-packages
RUN mkdir -p /edge/node_modules/@connectrpc /edge/node_modules/@bufbuild \
  && cd node_modules \
  && cp -r hono zod /edge/node_modules/ \
  && cp -r @connectrpc/connect /edge/node_modules/@connectrpc/ \
  && cp -r @bufbuild/protobuf /edge/node_modules/@bufbuild/ \
  && find /edge/node_modules -type d \( -name cjs -o -name src -o -name locales -path "*/cjs/*" \) -prune -exec rm -rf {} +

FROM denoland/deno:2.9.6 AS edge
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="elastic-job-edge" \
  org.opencontainers.image.description="The thin HTTP edge of Elastic Job" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY package.json deno.json ./
COPY --from=edge-packages /edge/node_modules ./node_modules
COPY src/config.ts ./src/config.ts
COPY src/config ./src/config
COPY src/coordination/redis/redis-url.ts ./src/coordination/redis/redis-url.ts
COPY src/store/mysql/mysql-url.ts ./src/store/mysql/mysql-url.ts
COPY src/core ./src/core
COPY src/gen ./src/gen
COPY src/client ./src/client
COPY src/console ./src/console
COPY src/edge ./src/edge
COPY src/tls ./src/tls
# Nothing is written: no cache of compiled code, no check for a newer Deno.
# Nor does it take its memory for the machine's: of the 512 MB that compose.yaml and Kubernetes give it, 192 are for JavaScript.
ENV DENO_DIR=/tmp/deno DENO_NO_UPDATE_CHECK=1 DENO_V8_FLAGS=--max-old-space-size=192
USER 1993:1993
EXPOSE 8080
# That it lives: some orchestrators restart what is unhealthy, which helps nobody while MySQL is away. /readyz says whether
# calls are answered. With TLS, it lives if it ends what is no handshake.
HEALTHCHECK --interval=4s --timeout=4s --start-period=30s --retries=3 \
  CMD ["deno", "eval", "--no-config", "--cached-only", "const port = Deno.env.get('EDGE_PORT') || 8080; if (Deno.env.get('TLS_CERT_FILE')) { const to = await Deno.connect({ port: Number(port) }); await to.write(new TextEncoder().encode('GET / HTTP/1.1\\r\\n\\r\\n')); await to.read(new Uint8Array(1)); Deno.exit(0); } const answer = await fetch(`http://127.0.0.1:${port}/healthz`); Deno.exit(answer.ok ? 0 : 1)"]
ENTRYPOINT ["deno"]
# The network is narrowed to the nodes' address where it is known: see compose.yaml.
CMD ["run", "--no-prompt", "--cached-only", "--allow-net", "--allow-read=/run/secrets", "--allow-env=UPSTREAM,ALLOWED_ORIGINS,API_TOKENS,API_TOKENS_FILE,OPEN_API,EDGE_PORT,HOST,TLS_CERT_FILE,TLS_KEY_FILE,TLS_CA_FILE,TLS_CLIENT_CA_FILE,TLS_SERVER_NAME,TLS_PLAIN", "src/edge/deno.ts"]

FROM node:26-slim AS node
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="elastic-job" \
  org.opencontainers.image.description="A distributed scheduler for immediate, timed, daily and cron jobs" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
# The rules of time zones change more often than Node is built: the newer of Debian's and Node's own are used.
RUN apt-get update && apt-get install -y --no-install-recommends tzdata \
  && rm -rf /var/lib/apt/lists/* /var/log/dpkg.log /var/log/apt
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY examples ./examples
# One's own handlers, wherever they are mounted, import { defineJobs } from "elastic-job".
RUN mkdir /node_modules /data /cache && ln -s /app /node_modules/elastic-job && chown 1000:1000 /data /cache
ENV DATA_DIR=/data NODE_COMPILE_CACHE=/cache
USER 1000:1000
# What Node has compiled is kept in the image, as the file system may be read-only later: a start takes half the CPU time,
# and a node 40 MB less. So one is started here, alone, with what only others would load. Node uses what the same user kept.
RUN node --eval ' \
  import "./src/cli/logger.ts"; import "./src/cli/program.ts"; import "./src/cli/run-program.ts"; \
  import "./src/cli/run-until-signal.ts"; import "./src/client/client.ts"; import "./src/coordination/redis.ts"; \
  import "./src/edge/node.ts"; import "./src/jobs/http.ts"; import "./src/jobs/shell.ts"; \
  import { startNode } from "./src/app.ts"; \
  import { parseConfig } from "./src/config.ts"; \
  const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }; \
  const config = parseConfig({ DATA_DIR: "/tmp/first-run", HOST: "127.0.0.1", HANDLERS: "examples/handlers.ts" }); \
  await (await startNode(config, logger)).stop();' \
  && rm -r /tmp/first-run && node src/cli/main.ts --version
EXPOSE 7070
# That it lives, as above: with TLS, a 400 says that plaintext is not spoken.
HEALTHCHECK --interval=4s --timeout=4s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 7070}/healthz`).then((answer) => process.exit(answer.ok || (process.env.TLS_CERT_FILE && answer.status === 400) ? 0 : 1), () => process.exit(1))"]
# Node is the first process, and handles SIGTERM itself: it drains, then exits with 0.
ENTRYPOINT ["node", "src/cli/main.ts"]
CMD ["node"]
