# One image for the receiver, the worker and the operator's commands; docker-compose.yml says which container runs what.
# Nothing is built: Node runs the sources as they are.
FROM node:24-slim

# As `packageManager` in package.json has it.
RUN npm install --global pnpm@10.34.8

ENV NODE_ENV=production
WORKDIR /app
COPY . .
# Only what these apps need: no tests, no embedded Postgres, no Node of the workspace. Not `pnpm deploy`, which copies our
# packages under node_modules, where Node does not strip types.
RUN --mount=type=cache,target=/pnpm-store \
  pnpm install --frozen-lockfile --prod --store-dir /pnpm-store \
  --filter-prod '@procore-mirror/ingest...' --filter-prod '@procore-mirror/worker...' --filter-prod '@procore-mirror/cli...'

# Where the receiver keeps events while the queue is down: mount a volume that survives the container.
ENV INGEST_SPOOL_DIR=/data/spool
RUN install --directory --owner node --group node /data /data/spool
VOLUME /data

USER node
EXPOSE 3000
CMD ["node", "apps/worker/src/main.ts"]
