// Node-RED on loopback, without editor and telemetry. Its flows get a pool of database connections, as large as the
// library makes it (10), with the address from the environment.
const { Pool } = require("pg");

const postgres = new Pool({ connectionString: process.env.PEER_DATABASE_URL });
postgres.on("error", (error) => console.error("postgres:", error.message));

module.exports = {
  uiHost: "127.0.0.1",
  httpAdminRoot: false,
  httpNodeRoot: false,
  disableEditor: true,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: false, ui: false },
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpload: false },
    modules: { allowInstall: false },
  },
  functionGlobalContext: { postgres },
  logging: { console: { level: "info", metrics: false, audit: false } },
};
