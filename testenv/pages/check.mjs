// Opens pages in a real Chromium and prints, as JSON, what it saw of each: what
// axe-core has against it, what it asked the network for, what it complained
// about, and whether a script ran. Pictures go into a folder where one is named.
//
//   node check.mjs CHROMIUM PICTURES|- PAGE...
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [chromium, pictures, ...pages] = process.argv.slice(2);
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const views = [
  { theme: "light", size: "desktop", width: 1280, height: 900 },
  { theme: "dark", size: "desktop", width: 1280, height: 900 },
  { theme: "light", size: "phone", width: 390, height: 844 },
  { theme: "dark", size: "phone", width: 390, height: 844 },
];

// A root has no sandbox in Chromium; the pages are our own.
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"],
});

async function look(file, view) {
  const page = await browser.newPage();
  const seen = { page: basename(file), ...view, requests: [], complaints: [], dialogs: 0 };
  page.on("request", (request) => seen.requests.push(request.url().slice(0, 200)));
  page.on("console", (message) => seen.complaints.push(message.text().slice(0, 300)));
  page.on("pageerror", (error) => seen.complaints.push(String(error).slice(0, 300)));
  page.on("dialog", async (dialog) => {
    seen.dialogs++;
    await dialog.dismiss();
  });
  await page.setViewport({ width: view.width, height: view.height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.theme }]);
  await page.goto(pathToFileURL(resolve(file)).href, { waitUntil: "load" });
  if (pictures !== "-") {
    const name = `${basename(file, ".html")}-${view.size}-${view.theme}.png`;
    await page.screenshot({ path: join(pictures, name), fullPage: true });
  }
  // What runs in the page below is ours, handed in by the debugger, which the
  // page's policy does not bind.
  seen.scripted = await page.evaluate(() => Boolean(window.stolen) || document.title === "stolen");
  seen.elements = await page.evaluate(() =>
    [...document.querySelectorAll("script, iframe, object, embed, form, img, link, base, audio, video, [onclick], [onerror], [onload], [style], a[href]:not([href^='#'])")]
      .map((element) => element.outerHTML.slice(0, 120)));
  seen.overflow = await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
  seen.landmarks = await page.evaluate(() => ({
    headings: document.querySelectorAll("h1").length,
    main: document.querySelectorAll("main").length,
    tags: document.querySelectorAll(".id.traced").length,
  }));
  await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  seen.violations = result.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  await page.close();
  return seen;
}

try {
  const all = [];
  for (const file of pages) {
    for (const view of views) {
      all.push(await look(file, view));
    }
  }
  process.stdout.write(JSON.stringify(all, null, 1) + "\n");
} finally {
  await browser.close();
}
