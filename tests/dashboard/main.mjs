import "./shows.mjs";
import "./controls.mjs";
import "./scrub.mjs";
import "./keyboard.mjs";
import "./looks.mjs";
import "./many.mjs";
import { runAll } from "./browser.mjs";

process.exit(await runAll(process.argv.slice(2)));
