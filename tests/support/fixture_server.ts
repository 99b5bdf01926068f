/** A web server with the few files that ADD of URLs is tested with. */
import { writeTar } from "../../src/tar/write.ts";
import { tarHeader } from "./tar_headers.ts";
import { readAll } from "./tar_members.ts";

const DATE = "Wed, 21 Oct 2015 07:28:00 GMT";

/** A running server. Disposing stops it. */
export interface FixtureServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
}

/** Serves `/dated`, `/undated`, `/moved`, `/named` (with a file name of its own), `/archive.tar` and `/`. All else is missing. */
export async function startFixtureServer(): Promise<FixtureServer> {
  const archive = await tarArchive();
  const dated = { "Last-Modified": DATE };
  const answers: Readonly<Record<string, () => Response>> = {
    "/": () => new Response("root\n"),
    "/dated": () => new Response("dated\n", { headers: { ...dated, ETag: '"1"' } }),
    "/undated": () => new Response("undated\n"),
    "/moved": () => new Response(undefined, { status: 302, headers: { Location: "/dated" } }),
    "/named": () =>
      new Response("named\n", { headers: { ...dated, "Content-Disposition": 'attachment; filename="x"' } }),
    "/archive.tar": () => new Response(archive, { headers: dated }),
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const answer = answers[decodeURIComponent(new URL(request.url).pathname)];
    return answer?.() ?? new Response("missing\n", { status: 404 });
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function tarArchive(): Promise<Uint8Array<ArrayBuffer>> {
  const body = new TextEncoder().encode("packed\n");
  const header = tarHeader("in/f", {
    size: body.length,
    uid: 5,
    gid: 6,
    mode: 0o640,
    mtimeNs: 1_400_000_000_000_000_000n,
  });
  const tar = writeTar([{ header, body: [body] }]);
  return new Uint8Array(await readAll(tar));
}
