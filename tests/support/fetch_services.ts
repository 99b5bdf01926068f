/** What fetching takes from the outside world: the real network, no waiting, no log. */
import type { GitServices } from "../../src/context/git_connection.ts";
import { recordingLogger } from "./copy_scene.ts";

/** Services whose log goes to `lines` and whose waits, in milliseconds, to `waits`. */
export function fetchServices(lines: string[] = [], waits: number[] = []): GitServices {
  return {
    fetch: (url, init) => fetch(url, init),
    log: recordingLogger(lines),
    signal: new AbortController().signal,
    sleep: (delayMs) => {
      waits.push(delayMs);
      return Promise.resolve();
    },
  };
}
