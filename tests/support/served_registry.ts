/** The fake registry on a loopback port, so that the compiled program can talk to it. */
import { type FakeRegistry, fakeRegistry, type FakeRegistryKnobs } from "./fake_registry.ts";

/** A listening registry. Disposing stops it. */
export interface ServedRegistry extends AsyncDisposable {
  readonly registry: FakeRegistry;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly url: string;
}

/** Serves a new registry with `knobs`. */
export function serveRegistry(knobs: FakeRegistryKnobs = {}): ServedRegistry {
  const registry = fakeRegistry(knobs);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => registry.handle(request),
  );
  const host = `127.0.0.1:${server.addr.port}`;
  return { registry, host, url: `http://${host}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
