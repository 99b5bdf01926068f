import { equal, match } from "node:assert/strict";
import { ChrootScene } from "../../support/chroot_scene.ts";

Deno.test("bringLoopbackUp makes a new network's loopback answer", async () => {
  await using scene = await ChrootScene.make();
  const { stdout, code } = await scene.shell(
    "cat /proc/net/dev; ls /sys/class/net > /dev/null; test $(cat /proc/net/route | wc -l) = 1 && echo no routes",
    0,
    { network: "none" },
  );
  equal(code, 0);
  match(stdout, /^\s*lo: /m);
  equal(stdout.match(/^\s*\w+: /gm)?.length, 1);
  match(stdout, /no routes/);
});
