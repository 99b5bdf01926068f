import { deepEqual, equal, match } from "node:assert/strict";
import { ChrootScene } from "../../support/chroot_scene.ts";

Deno.test("mountSandbox gives a fresh /dev whose devices work", async () => {
  await using scene = await ChrootScene.make();
  await Deno.mkdir(`${scene.rootfs.path}/dev`);
  await Deno.writeTextFile(`${scene.rootfs.path}/dev/of-the-image`, "");
  const script =
    "cd /dev; ls; stat -c %a null tty; head -c 3 zero | wc -c; head -c 3 urandom | wc -c; echo x > null; echo y > stdout;" +
    "echo z > shm/file && cat shm/file; readlink fd; readlink ptmx; echo x > full || echo full";
  const { stdout } = await scene.shell(script, 1234);
  const names = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" ");
  deepEqual(stdout.trim().split("\n"), [
    ...names,
    "666",
    "666",
    "3",
    "3",
    "y",
    "z",
    "/proc/self/fd",
    "pts/ptmx",
    "full",
  ]);
});

Deno.test("mountSandbox makes devices of a command's own useless", async () => {
  await using scene = await ChrootScene.make();
  const { stdout, stderr } = await scene.shell(
    "for d in /tmp /dev /dev/shm; do mknod $d/z c 1 5 && head -c 1 $d/z | wc -c; done; chmod 600 /dev/null",
  );
  equal(stdout, "0\n0\n0\n");
  equal(stderr.match(/denied/g)?.length, 3);
  equal(((await Deno.lstat("/dev/null")).mode ?? 0) & 0o777, 0o666, "the host's device has been changed");
});

Deno.test("mountSandbox hides what belongs to the host", async () => {
  await using scene = await ChrootScene.make();
  const { stdout, stderr } = await scene.shell(
    "echo x > /proc/sys/kernel/hostname; echo x > /proc/sysrq-trigger; mkdir /sys/x && echo made; cat /proc/keys /proc/timer_list; ls /sys/firmware;" +
      "ls /proc | grep -c '^[0-9]'",
  );
  match(stdout, /^[2-4]\n$/);
  equal(stderr.match(/Read-only file system/g)?.length, 2);
});

Deno.test("mountSandbox lets a command see no mount of the host", async () => {
  await using scene = await ChrootScene.make();
  const { stdout } = await scene.shell("while read a b c d point rest; do echo $point; done < /proc/self/mountinfo");
  const outside = stdout.trim().split("\n").filter((point) =>
    !/^\/($|proc|sys|dev|etc\/(hosts|resolv.conf)$)/.test(point)
  );
  deepEqual(outside, []);
});
