/** The program that tests start as launcher, as the real one is started with the same two words. */
import { launch } from "../../src/runner/launch.ts";

if (import.meta.main && Deno.args[0] === "__launch") launch();
