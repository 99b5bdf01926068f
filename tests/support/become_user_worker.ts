/** A thread that becomes somebody else and tells what /proc says about it. */
import { becomeUser, type Credentials } from "../../src/sys/credentials.ts";

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: (event: MessageEvent<Credentials>) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = (event) => {
  becomeUser(event.data);
  scope.postMessage(Deno.readTextFileSync("/proc/thread-self/status").match(/^(Uid|Gid|Groups):.*$/gm));
};
