/** The maps, fetched when one is first shown: what draws them is large, and what needs a person is read before it has come. */
import { lazily } from "../shell/lazy-page";

export const CityMap = lazily(async () => (await import("./city-map")).CityMap);
export const TraceMap = lazily(async () => (await import("./trace-map")).TraceMap);
