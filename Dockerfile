# An image for scripted work on servers: Debian slim, the CPU's llama.cpp alone, no root, and no home folder needed.
FROM node:22-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates cmake g++ git make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /lorp
COPY . .
RUN npm ci --ignore-scripts \
 && npm run build \
 && npm prune --omit=dev --ignore-scripts \
 && find node_modules/@node-llama-cpp -mindepth 1 -maxdepth 1 ! -name "linux-$(node -p process.arch)" -exec rm -rf {} +

FROM node:22-bookworm-slim
WORKDIR /lorp
COPY --from=build /lorp/package.json /lorp/LICENSE ./
COPY --from=build /lorp/calibration calibration
COPY --from=build /lorp/schemas schemas
COPY --from=build /lorp/node_modules node_modules
COPY --from=build /lorp/build/Release/lorp.node build/Release/lorp.node
COPY --from=build /lorp/dist dist
ENV XDG_CACHE_HOME=/tmp
USER node
WORKDIR /models
ENTRYPOINT ["node", "/lorp/dist/cli/main.js"]
