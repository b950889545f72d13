import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, ".", "LIFELINE_");
  return {
    // Relative addresses, so that the built page works under any path the API mounts it at.
    base: "./",
    build: { target: "es2022", chunkSizeWarningLimit: 1600, assetsInlineLimit: 0 },
    worker: { format: "es" },
    server: { proxy: { "/api": { target: settings["LIFELINE_API_URL"] ?? "http://127.0.0.1:8000" } } },
  };
});
