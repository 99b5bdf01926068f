import { equal, match, rejects } from "node:assert/strict";
import { connectGit } from "../../../src/context/git_connection.ts";
import { readOffer } from "../../../src/context/git_upload_pack.ts";
import { fetchServices } from "../../support/fetch_services.ts";
import { commitAll, makeRepository, startGitServer } from "../../support/git_server.ts";

Deno.test("connectGit follows a repository that moved, and sends the request there", async () => {
  await using server = await startGitServer();
  await commitAll(await makeRepository(server, "new"));
  const urls: string[] = [];
  const services = {
    ...fetchServices(),
    fetch: (url: string, init: RequestInit): Promise<Response> => {
      urls.push(`${init.method} ${url.replace(server.url, "")}`);
      const moved = url.replace("/old.git", "/new.git");
      return moved === url ? fetch(url, init) : Promise.resolve(Response.redirect(moved, 301));
    },
  };
  await using connection = await connectGit({ transport: "http", remote: `${server.url}/old.git/` }, services);
  equal((await readOffer(connection, "s")).refs.has("refs/heads/main"), true);
  await (await connection.request(new TextEncoder().encode("0000"))).cancel();
  equal(urls.at(-1), "POST /new.git/git-upload-pack");
});

Deno.test("connectGit says so when the server is no git server", async () => {
  const services = { ...fetchServices(), fetch: () => Promise.resolve(new Response("<html>")) };
  await rejects(connectGit({ transport: "http", remote: "https://u:p@h/r.git" }, services), {
    message: 'Cannot fetch "https://xxxxx:xxxxx@h/r.git": the server does not answer as a git server does',
  });
});

Deno.test("connectGit says so when nobody listens", async () => {
  const connecting = connectGit({ transport: "git", remote: "git://127.0.0.1:1/r" }, fetchServices());
  await rejects(connecting, ({ message }: Error) => {
    match(message, /^Cannot fetch "git:\/\/127.0.0.1:1\/r": .*refused/i);
    return true;
  });
});

for (const remote of ["ssh://-oProxyCommand/r", "git@h:-x", "git@h:"]) {
  Deno.test(`connectGit refuses ${remote}`, async () => {
    await rejects(connectGit({ transport: "ssh", remote }, fetchServices()), { name: "ContextError" });
  });
}
