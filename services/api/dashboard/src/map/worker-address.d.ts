/** Where the worker of the map lies; vite.config.ts builds it. */
declare module "virtual:map-worker-address" {
  const address: string;
  export default address;
}
