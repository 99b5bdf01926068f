/** The real outside world for what is fetched: the process's own network, with the proxies of its environment. */
import type { Logger } from "../log/logger.ts";
import type { GitServices } from "./git_connection.ts";

/** Services over `fetch` and timers; `signal` stops everything. */
export function systemFetchServices(given: { readonly log: Logger; readonly signal: AbortSignal }): GitServices {
  return { ...given, fetch: (url, init) => fetch(url, init), sleep: sleepFor };
}

function sleepFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", stop, { once: true });
  });
}
