import { deepEqual, equal, rejects } from "node:assert/strict";
import type { GitConnection } from "../../../src/context/git_connection.ts";
import { FLUSH_PACKET, packetLine } from "../../../src/context/git_packets.ts";
import { fetchPack, MAX_PACK_BYTES, readOffer } from "../../../src/context/git_upload_pack.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const CAPABILITIES = new Set(["side-band-64k", "ofs-delta", "shallow"]);

interface Scripted extends GitConnection {
  readonly sent: string[];
}

function connection(offer: string, answer = "", complaint = ""): Scripted {
  const sent: string[] = [];
  return {
    sent,
    offer: new Blob([offer]).stream(),
    request: (body) => {
      sent.push(new TextDecoder().decode(body));
      return Promise.resolve(new Blob([answer]).stream());
    },
    complaint: () => complaint,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("readOffer reads refs and capabilities, announced or not", async () => {
  const refs = packetLine(`${ID} HEAD\0a b=c\n`) + packetLine(`${ID} refs/heads/x\n`) + FLUSH_PACKET;
  for (const before of ["", packetLine("# service=git-upload-pack\n") + FLUSH_PACKET, packetLine("version 1\n")]) {
    const { refs: found, capabilities } = await readOffer(connection(before + refs), "s");
    deepEqual([...found], [["HEAD", ID], ["refs/heads/x", ID]]);
    deepEqual([...capabilities], ["a", "b=c"]);
  }
  const empty = packetLine(`${"0".repeat(40)} capabilities^{}\0shallow\n`) + FLUSH_PACKET;
  equal((await readOffer(connection(empty), "s")).refs.size, 0);
});

const BAD_OFFERS: readonly (readonly [name: string, offer: string, complaint: string, message: RegExp])[] = [
  ["silence", "", "", /^Cannot fetch "s": the server ends the conversation without an answer$/],
  ["ssh's complaint", "", "Host key verification failed.", /^Cannot fetch "s": Host key verification failed\.$/],
  ["the server's refusal", packetLine("ERR access\x1b[1m denied\n"), "", /: the server says: access \[1m denied$/],
  ["no ref", packetLine("hello\n"), "", /^Cannot read the refs of "s": "hello"$/],
];

for (const [name, offer, complaint, message] of BAD_OFFERS) {
  Deno.test(`readOffer throws when it finds ${name}`, async () => {
    await rejects(readOffer(connection(offer, "", complaint), "s"), { message });
  });
}

const REQUEST = { wants: [ID], isShallow: true, offer: { refs: new Map(), capabilities: CAPABILITIES }, source: "s" };
const SHALLOW = packetLine(`shallow ${ID}\n`) + FLUSH_PACKET;
const NAK = packetLine("NAK\n");

Deno.test("fetchPack asks for commits without history and stores what band 1 brings", async () => {
  await using folder = await makeTempDir();
  const answer = SHALLOW + NAK + packetLine("\x02counting\n") + packetLine("\x01PACK") + packetLine("\x01rest") +
    FLUSH_PACKET;
  const scripted = connection("", answer);
  deepEqual(await fetchPack(scripted, REQUEST, `${folder.path}/p`), [ID]);
  equal(await Deno.readTextFile(`${folder.path}/p`), "PACKrest");
  const want = packetLine(`want ${ID} side-band-64k ofs-delta agent=kiln\n`);
  deepEqual(scripted.sent, [`${want}${packetLine("deepen 1\n")}0000${packetLine("done\n")}`]);
});

const BAD_ANSWERS: readonly (readonly [name: string, answer: string, message: RegExp])[] = [
  ["a refusal", packetLine("ERR upload-pack: not our ref x\n"), /the server says: upload-pack: not our ref x$/],
  ["an end after the shallow commits", SHALLOW, /ends the conversation/],
  [
    "an error on band 3",
    SHALLOW + NAK + packetLine("\x01PACK") + packetLine("\x03out of memory\n"),
    /says: out of memory$/,
  ],
  ["no pack", SHALLOW + NAK + FLUSH_PACKET, /there is no pack in it$/],
  ["something else than a pack", SHALLOW + NAK + packetLine("\x01HTML"), /there is no pack in it$/],
  ["a cut packet", `${SHALLOW + NAK}00ff\x01PACK`, /in the middle of a packet$/],
  ["nonsense", packetLine("hm\n"), /^Cannot read the answer of "s": "hm"$/],
];

for (const [name, answer, message] of BAD_ANSWERS) {
  Deno.test(`fetchPack throws when it finds ${name}`, async () => {
    await using folder = await makeTempDir();
    await rejects(fetchPack(connection("", answer), REQUEST, `${folder.path}/p`), { message });
  });
}

Deno.test("fetchPack has a bound", () => equal(MAX_PACK_BYTES, 2147483648));
