/** Opening contexts and finding Dockerfiles, on real folders. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { type BuildContext, type ContextOptions, openContext, readDockerfile } from "../../../src/context/context.ts";
import { ContextError } from "../../../src/context/context_error.ts";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { mustRun } from "../../support/run_command.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

type Files = Readonly<Record<string, string>>;

async function withFiles(files: Files, action: (folder: string) => Promise<void>): Promise<void> {
  await using temp = await makeTempDir();
  const folder = await Deno.realPath(temp.path);
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  await action(folder);
}

function open(folder: string, options: Partial<ContextOptions> = {}, source = `${folder}/ctx`): Promise<BuildContext> {
  return openContext(source, { dockerfile: "Dockerfile", currentDirectory: folder, ...options });
}

Deno.test("openContext opens a folder by plain path, relative path, dir:// and symlink", async () => {
  await withFiles({ "ctx/a": "" }, async (folder) => {
    await Deno.symlink("ctx", `${folder}/link`);
    for (const source of [`${folder}/ctx`, "ctx", "./ctx/", `dir://${folder}/ctx`, "dir://ctx", "link"]) {
      await using context = await open(folder, {}, source);
      equal(context.root, `${folder}/ctx`, source);
    }
  });
});

Deno.test("openContext uses the sub-path when one is given", async () => {
  await withFiles({ "ctx/a/b/c": "", "ctx/a/b/.dockerignore": "c" }, async (folder) => {
    await using context = await open(folder, { subPath: "a/./b/" });
    equal(context.root, `${folder}/ctx/a/b`);
    equal(context.ignore.matches(rawPath("c")), true);
  });
});

const UNSUPPORTED: readonly (readonly [source: string, scheme: string])[] = [
  ["git://github.com/a/b", "git"],
  ["https://user:secret@host/a.tgz?sig=x", "https"],
  ["s3://bucket/key", "s3"],
  ["gs://bucket/key", "gs"],
  ["tar://stdin", "tar"],
  ["oci://x", "oci"],
];

for (const [source, scheme] of UNSUPPORTED) {
  Deno.test(`openContext names the scheme and no secret when it cannot open ${scheme}://`, async () => {
    await rejects(open("/", {}, source), (error) => {
      equal(error instanceof UnsupportedError, true);
      equal(String(error).includes(`scheme "${scheme}://" is not supported yet`), true, String(error));
      equal(/secret|sig=x/.test(String(error)), false, String(error));
      return true;
    });
  });
}

Deno.test("openContext refuses stdin", async () => {
  await rejects(open("/", {}, "-"), UnsupportedError);
});

Deno.test("openContext says what is wrong when the folder is missing, a file, or a sub-path leads out", async () => {
  await withFiles({ "ctx/a": "", "other/b": "" }, async (folder) => {
    await Deno.symlink("../other", `${folder}/ctx/out`);
    const messages: string[] = [];
    const attempts: readonly (readonly [string, Partial<ContextOptions>])[] = [
      ["none", {}],
      ["ctx/a", {}],
      ["ctx", { subPath: "../other" }],
      ["ctx", { subPath: "out" }],
      ["ctx", { subPath: "none" }],
    ];
    for (const [source, options] of attempts) {
      await rejects(open(folder, options, source), (error) => {
        equal(error instanceof ContextError, true);
        messages.push(error instanceof Error ? error.message : "");
        return true;
      });
    }
    deepEqual(messages, [
      `Cannot open context "none": not found`,
      `Cannot open context "ctx/a": not a directory`,
      `Cannot open context "ctx": sub-path "../other" leads out of it`,
      `Cannot open context "ctx": sub-path "out" leads out of it`,
      `Cannot open context "ctx (sub-path none)": not found`,
    ]);
  });
});

async function dockerfileText(path: string | undefined, context: BuildContext): Promise<string> {
  return new TextDecoder().decode((await readDockerfile(path, context)).bytes);
}

const LOOKUPS: readonly (readonly [name: string, files: Files, path: string, found: string | undefined])[] = [
  ["relative to the current folder first", { "D": "here", "ctx/D": "ctx" }, "D", "here"],
  ["then relative to the context", { "ctx/D": "ctx" }, "D", "ctx"],
  ["in a folder of the context", { "ctx/x/D": "ctx" }, "x/D", "ctx"],
  ["in lower case where the default is missing", { "ctx/dockerfile": "lower" }, "Dockerfile", "lower"],
  ["in lower case in a folder", { "ctx/x/dockerfile": "lower" }, "x/Dockerfile", "lower"],
  ["as named where both are", { "ctx/dockerfile": "lower", "ctx/Dockerfile": "upper" }, "Dockerfile", "upper"],
  ["but not for other names", { "ctx/my.dockerfile": "lower" }, "my.Dockerfile", undefined],
  ["and no folder", { "ctx/Dockerfile/x": "" }, "Dockerfile", undefined],
];

for (const [name, files, path, found] of LOOKUPS) {
  Deno.test(`readDockerfile looks ${name}`, async () => {
    await withFiles({ "ctx/.keep": "", ...files }, async (folder) => {
      await using context = await open(folder, { dockerfile: path });
      if (found !== undefined) return equal(await dockerfileText(path, context), found);
      await rejects(readDockerfile(path, context), (error) => {
        equal(error instanceof ContextError && error.message, `Cannot read Dockerfile "${path}": not found`);
        return true;
      });
    });
  });
}

Deno.test("readDockerfile takes the context's own when none is named, whatever the current folder has", async () => {
  await withFiles({ "Dockerfile": "here", "ctx/Dockerfile": "ctx" }, async (folder) => {
    await using context = await open(folder, { dockerfile: undefined });
    equal(await dockerfileText(undefined, context), "ctx");
  });
  await withFiles({ "Dockerfile": "here", "ctx/a": "" }, async (folder) => {
    await using context = await open(folder, { dockerfile: undefined });
    await rejects(readDockerfile(undefined, context), /ctx\/Dockerfile": not found/);
  });
});

Deno.test("readDockerfile follows a symlink within the context, and out of it only where it is named", async () => {
  await withFiles({ "ctx/x/real": "inside", "real": "outside" }, async (folder) => {
    await Deno.symlink("x/real", `${folder}/ctx/Dockerfile`);
    await using inside = await open(folder, { dockerfile: undefined });
    equal(await dockerfileText(undefined, inside), "inside");
    await Deno.remove(`${folder}/ctx/Dockerfile`);
    await Deno.symlink("../real", `${folder}/ctx/Dockerfile`);
    await rejects(open(folder, { dockerfile: undefined }), /a symlink that leads out of the context/);
    await using named = await open(folder, { dockerfile: "ctx/Dockerfile" });
    equal(await dockerfileText("ctx/Dockerfile", named), "outside");
  });
});

Deno.test("openContext passes over fifos, which nobody may ever write to", async () => {
  await withFiles({ "ctx/Dockerfile": "FROM scratch" }, async (folder) => {
    await mustRun(["mkfifo", `${folder}/ctx/.dockerignore`, `${folder}/ctx/pipe`]);
    await using context = await open(folder, { dockerfile: undefined });
    equal(context.ignore.matches(rawPath("Dockerfile")), false);
    await using piped = await open(folder, { dockerfile: "pipe" });
    await rejects(readDockerfile("pipe", piped), /not found/);
  });
});

for (const path of ["https://host/Dockerfile", "-"]) {
  Deno.test(`openContext says that a Dockerfile from ${path} is not supported yet`, async () => {
    await rejects(open("/", { dockerfile: path }, "/"), /is not supported yet/);
  });
}

const IGNORES: readonly (readonly [name: string, files: Files, ignored: readonly string[]])[] = [
  ["nothing without a file", { "ctx/Dockerfile": "" }, []],
  ["what the context's file says", { "ctx/Dockerfile": "", "ctx/.dockerignore": "a" }, ["a"]],
  [
    "what the Dockerfile's own file says",
    { "ctx/Dockerfile": "", "ctx/.dockerignore": "a", "ctx/Dockerfile.dockerignore": "b" },
    ["b"],
  ],
];

for (const [name, files, ignored] of IGNORES) {
  Deno.test(`openContext ignores ${name}`, async () => {
    await withFiles(files, async (folder) => {
      await using context = await open(folder);
      deepEqual(["a", "b"].filter((path) => context.ignore.matches(rawPath(path))), ignored);
    });
  });
}

Deno.test("openContext names file and line when .dockerignore makes no sense", async () => {
  await withFiles({ "ctx/.dockerignore": "a\n[" }, async (folder) => {
    await rejects(open(folder), (error) => {
      const message = `Cannot use pattern of ${folder}/ctx/.dockerignore:2, "[": syntax error in pattern`;
      equal(error instanceof FormatError && error.message, message);
      return true;
    });
  });
});

Deno.test("readDockerfile stops at its limit when the file never ends", async () => {
  await withFiles({ "ctx/a": "" }, async (folder) => {
    await using context = await open(folder, { dockerfile: "/dev/zero" });
    await rejects(readDockerfile("/dev/zero", context), /larger than 16777216 bytes/);
  });
});
