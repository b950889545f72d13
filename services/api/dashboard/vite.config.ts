import { defineConfig, loadEnv, type Plugin } from "vite";

/** MapLibre's own parts: as it is published, page and worker bring the same half of the library twice (decision 84). */
const MAP_PARTS = new URL("node_modules/maplibre-gl/src", import.meta.url).pathname;
const MAP_WORKER = `${MAP_PARTS}/source/worker.ts`;
const WORKER_ADDRESS = "virtual:map-worker-address";

/** Builds the map's worker together with the page and tells where it lies. */
function mapWorker(): Plugin {
  let building = false;
  return {
    name: "map-worker",
    configResolved: ({ command }) => void (building = command === "build"),
    resolveId: (id) => (id === WORKER_ADDRESS ? `\0${WORKER_ADDRESS}` : null),
    load(id) {
      if (id !== `\0${WORKER_ADDRESS}`) return null;
      if (!building) return `export default ${JSON.stringify(`/@fs${MAP_WORKER}`)};`;
      const file = this.emitFile({ type: "chunk", id: MAP_WORKER, name: "map-worker" });
      return `export default import.meta.ROLLUP_FILE_URL_${file};`;
    },
  };
}

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, ".", "LIFELINE_");
  return {
    // Relative addresses, so that the built page works under any path the API mounts it at.
    base: "./",
    plugins: [mapWorker()],
    // MapLibre declares fields that its superclasses have set; as a field of its own each would be emptied again.
    oxc: { assumptions: { setPublicClassFields: true }, typescript: { removeClassFieldsWithoutInitializer: true } },
    resolve: { alias: [{ find: /^maplibre-gl$/, replacement: `${MAP_PARTS}/index.ts` }] },
    build: {
      target: "es2022",
      chunkSizeWarningLimit: 1600,
      assetsInlineLimit: 0,
      // The API's description is a page of its own, so that nobody else loads what shows it.
      rolldownOptions: { input: ["index.html", "docs/index.html"] },
    },
    server: { proxy: { "/api": { target: settings["LIFELINE_API_URL"] ?? "http://127.0.0.1:8000" } } },
  };
});
