import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, ".", "LIFELINE_");
  return {
    // Relative addresses, so that the built page works under any path the API mounts it at.
    base: "./",
    build: {
      target: "es2022",
      chunkSizeWarningLimit: 1600,
      assetsInlineLimit: 0,
      // The API's description is a page of its own, so that nobody else loads what shows it.
      rolldownOptions: { input: ["index.html", "docs/index.html"] },
    },
    worker: { format: "es" },
    server: { proxy: { "/api": { target: settings["LIFELINE_API_URL"] ?? "http://127.0.0.1:8000" } } },
  };
});
