# syntax=docker/dockerfile:1

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages ./packages
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json .swcrc ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/packages ./packages
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8000
# Not /health/ready: that fails in all processes at once during an outage of a shared dependency, for which a working
# container must not be restarted or skipped
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "--input-type=module", "-e", "const { ok } = await fetch('http://127.0.0.1:' + process.env.PORT + '/health/live'); process.exit(ok ? 0 : 1)"]
CMD ["node", "dist/main.js"]
