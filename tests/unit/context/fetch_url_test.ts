import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { fetchUrl, MAX_FILE_BYTES, type UrlRequest } from "../../../src/context/fetch_url.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { fetchServices } from "../../support/fetch_services.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const BODY = new TextEncoder().encode("content");

interface Server extends AsyncDisposable {
  readonly url: string;
}

function serve(answer: (request: Request) => Response): Server {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("fetchUrl stores the file under its name, mode 0600, with the server's time or 1970", async () => {
  await using server = serve((request) => {
    const headers = request.url.endsWith("dated") ? { "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT" } : undefined;
    return new Response(BODY, { ...headers && { headers } });
  });
  for (const [path, name, timeMs] of [["/a/dated", "dated", 1_700_000_000_000], ["/", "__unnamed__", 0]] as const) {
    await using folder = await makeTempDir();
    const file = await fetchUrl({ url: server.url + path, checksum: sha256(BODY) }, folder.path, fetchServices());
    deepEqual(file, { path: `${folder.path}/${name}`, digest: sha256(BODY), size: 7 });
    const { mode, mtime } = await Deno.stat(file.path);
    deepEqual([(mode ?? 0) & 0o777, mtime?.getTime()], [0o600, timeMs]);
    equal(await Deno.readTextFile(file.path), "content");
  }
});

Deno.test("fetchUrl fetches again when the connection broke in the middle", async () => {
  let calls = 0;
  await using folder = await makeTempDir();
  const services = {
    ...fetchServices(),
    fetch: () => {
      calls++;
      const broken = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(BODY),
        pull: (controller) => controller.error(new TypeError("connection reset")),
      }, { highWaterMark: 0 });
      return Promise.resolve(new Response(calls < 3 ? broken : BODY));
    },
  };
  const { size } = await fetchUrl({ url: "https://h/f" }, folder.path, services);
  deepEqual([size, calls], [7, 3]);
});

Deno.test("fetchUrl does not take a file that is shorter than announced", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const serving = (async (): Promise<void> => {
    for (let calls = 0; calls < 4; calls++) {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"));
    }
  })();
  await using folder = await makeTempDir();
  await rejects(fetchUrl({ url: `http://127.0.0.1:${listener.addr.port}/f` }, folder.path, fetchServices()), {
    name: "ContextError",
  });
  await serving;
  deepEqual([...Deno.readDirSync(folder.path)], []);
});

const ZERO = sha256(new Uint8Array());
const FAULTS: readonly (readonly [request: UrlRequest, message: RegExp])[] = [
  [
    { url: "https://u:p@h/f?sig=1", checksum: ZERO },
    new RegExp(`^Cannot add "https://xxxxx:xxxxx@h/f\\?\\*\\*\\*": its digest is ${sha256(BODY)}, not ${ZERO}$`),
  ],
  [{ url: "https://h/f", maxBytes: 3 }, /^Cannot add "https:\/\/h\/f": it is larger than 3 bytes$/],
  [{ url: "https://h:x/f" }, /it is not a valid URL$/],
  [{ url: `https://h/${"n".repeat(256)}` }, /cannot be the name of a file$/],
  [{ url: "https://h/a%00b", action: "open" }, /^Cannot open "https:\/\/h\/a%00b": .*cannot be the name of a file$/],
];

for (const [request, message] of FAULTS) {
  Deno.test(`fetchUrl leaves nothing when it fails: ${message.source.slice(0, 60)}`, async () => {
    await using folder = await makeTempDir();
    const services = { ...fetchServices(), fetch: () => Promise.resolve(new Response(BODY)) };
    await rejects(fetchUrl(request, folder.path, services), (error: Error) => {
      match(error.message, message);
      return true;
    });
    deepEqual([...Deno.readDirSync(folder.path)], []);
  });
}

Deno.test("fetchUrl has a bound unless told otherwise", () => equal(MAX_FILE_BYTES, 68719476736));
