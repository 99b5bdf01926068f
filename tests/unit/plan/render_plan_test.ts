import { match, strictEqual } from "node:assert/strict";
import { renderPlan } from "../../../src/plan/render_plan.ts";
import { planText } from "../../support/plan_request.ts";

Deno.test("renderPlan writes target, warnings and stages in the order of the build", async () => {
  const text = "FROM scratch AS a\nFROM scratch AS b\nCOPY --from=a x y\nUSER $none";
  const plan = await planText(text, { buildArgs: { SOURCE_DATE_EPOCH: "7", odd: "1" } });
  strictEqual(
    renderPlan(plan),
    `target 1 "b"
source date epoch 7
warning line 4: UndefinedVar: Usage of undefined variable '$none'
warning: Build argument "odd" is not used: no ARG declares it

stage 0 "a" for linux/amd64
  base scratch
  config
      Env ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
      WorkingDir "/"

stage 1 "b" for linux/amd64
  base scratch
  3 copy: COPY --from=a x y
      from stage 0 "a"
      patterns ["x"]
      destination "/y"
      history "COPY x y # buildkit"
  4 metadata: USER $none
      history "USER "
  config
      Env ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
      WorkingDir "/"
`,
  );
});

Deno.test("renderPlan shows of the environment what the RUN before had not", async () => {
  const text = "FROM base\nENV A=1\nRUN a\nRUN b\nENV A=2 B=3\nRUN c";
  const lines = renderPlan(await planText(text, { images: { base: { config: { Env: ["PATH=/bin"] } } } })).split("\n");
  const shown = lines.filter((line) => /^ +(?:env|argv)/.test(line)).map((line) => line.trim());
  strictEqual(
    shown.join("\n"),
    [
      'argv ["/bin/sh","-c","a"]',
      'env "A=1"',
      'argv ["/bin/sh","-c","b"]',
      'argv ["/bin/sh","-c","c"]',
      'env "A=2"',
      'env "B=3"',
    ].join("\n"),
  );
});

Deno.test("renderPlan names base and source images with their digests", async () => {
  const text = renderPlan(await planText("FROM a:1\nCOPY --from=b x y", { images: { "a:1": {}, b: {} } }));
  match(text, /^ {2}base image index\.docker\.io\/library\/a:1 sha256:[0-9a-f]{64}$/m);
  match(text, /^ {6}from image index\.docker\.io\/library\/b:latest sha256:[0-9a-f]{64}$/m);
});

Deno.test("renderPlan sorts keys and keeps text on its line", async () => {
  const text = renderPlan(await planText('FROM scratch\nLABEL b="x\\\n\n y" a=1\nMAINTAINER Ann'));
  match(text, /^ {6}Labels \{"a":"1","b":"x y"\}$/m);
  match(text, /^ {2}author "Ann"$/m);
  const heredoc = renderPlan(await planText("FROM scratch\nCOPY <<E /f\na\nb\nE"));
  match(heredoc, /^ {6}file "E" "a\\nb\\n"$/m);
});
