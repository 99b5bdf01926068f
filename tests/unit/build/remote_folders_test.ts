import { deepEqual, equal, rejects } from "node:assert/strict";
import { RemoteFolders } from "../../../src/build/remote_folders.ts";
import { parseGitReference } from "../../../src/context/git_reference.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { describeFolder } from "../../support/copy_scene.ts";
import { commitAll, makeRepository, startGitServer } from "../../support/git_server.ts";
import { mustRun } from "../../support/run_command.ts";
import { makeStageWorld } from "../../support/stage_world.ts";

interface Server extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
}

function serve(bodies: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Server {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    const body = bodies[pathname];
    return body === undefined ? new Response("no", { status: 404 }) : new Response(body);
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

const TEXT = new TextEncoder().encode("text");

Deno.test("RemoteFolders fetches a file once, and gives it as a path in a tree that belongs to root", async () => {
  await using server = serve({ "/f": TEXT });
  await using world = await makeStageWorld();
  const remotes = new RemoteFolders();
  const url = `${server.url}/f`;
  const first = await remotes.fetched({ kind: "url", position: 2, url, unpack: true }, world.session);
  const second = await remotes.fetched({ kind: "url", position: 0, url, unpack: false }, world.session);
  deepEqual({ ...first, tree: first.tree.keepsOwner }, { position: 2, tree: false, path: "/f", unpack: true });
  equal(second.tree.root, first.tree.root);
  deepEqual(describeFolder(first.tree.root), { "/f": "f:text@600" });
  deepEqual(server.asked, ["/f"]);
});

Deno.test("RemoteFolders asks again after a failure", async () => {
  await using server = serve({});
  await using world = await makeStageWorld();
  const remotes = new RemoteFolders();
  const remote = { kind: "url", position: 0, url: `${server.url}/f`, unpack: false } as const;
  for (let attempt = 0; attempt < 2; attempt++) {
    await rejects(remotes.fetched(remote, world.session), { name: "ContextError" });
  }
  deepEqual(server.asked, ["/f", "/f"]);
});

Deno.test("RemoteFolders gives all files of a repository", async () => {
  await using server = await startGitServer();
  const source = await makeRepository(server, "r");
  await Deno.writeTextFile(`${source}/a`, "1");
  await commitAll(source);
  await using world = await makeStageWorld();
  const reference = parseGitReference(`${server.url}/r.git`);
  const remotes = new RemoteFolders();
  const { tree, path } = await remotes.fetched({ kind: "git", position: 0, reference }, world.session);
  equal(path, "/");
  deepEqual(describeFolder(tree.root), { "/a": "f:1" });
  equal((await remotes.named({ kind: "git", reference }, world.session)).root, tree.root);
});

Deno.test("RemoteFolders opens a folder with its own ignore file", async () => {
  await using world = await makeStageWorld();
  const folder = `${world.session.services.currentDirectory}/named`;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/.dockerignore`, "*.log\n");
  const { root, filter, keepsOwner } = await new RemoteFolders().named(
    { kind: "folder", path: "named" },
    world.session,
  );
  deepEqual([root, keepsOwner], [rawPath(await Deno.realPath(folder)), false]);
  deepEqual([filter?.matches(rawPath("a.log")), filter?.matches(rawPath("a"))], [true, false]);
  await rejects(new RemoteFolders().named({ kind: "folder", path: "none" }, world.session), {
    message: 'Cannot open context "none": not found',
  });
});

Deno.test("RemoteFolders unpacks an archive, and refuses what is none", async () => {
  await using world = await makeStageWorld();
  await Deno.mkdir(`${world.contextPath}/d`);
  await Deno.writeTextFile(`${world.contextPath}/d/f`, "x");
  await mustRun(["tar", "-czf", `${world.contextPath}/../a.tgz`, "-C", world.contextPath, "d"]);
  const archive = await Deno.readFile(`${world.contextPath}/../a.tgz`);
  await using server = serve({ "/a.tgz": archive, "/text": TEXT });
  const remotes = new RemoteFolders();
  const { root } = await remotes.named({ kind: "url", url: `${server.url}/a.tgz` }, world.session);
  deepEqual(describeFolder(root), { "/d": "d", "/d/f": "f:x" });
  await rejects(remotes.named({ kind: "url", url: `${server.url.replace("//", "//u:p@")}/text?s` }, world.session), {
    message: `Cannot open build context "${server.url.replace("//", "//xxxxx:xxxxx@")}/text?***": ` +
      "it is not a tar, plain or compressed",
  });
});
