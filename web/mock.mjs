// The dashboard's server as far as the page can tell: serves web/dist and plays the data contract
// over a moving cluster (mock_cluster.mjs). Node alone, no dependencies. From a shell:
//   node web/mock.mjs [--port 8080] [--nodes 1000 --pods 5000] [--speed 60] [--empty]
// From a test: `await startMock({...})`, which takes a free port, keeps every control's body and,
// with `manual: true`, moves only when `tick()` is called.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Cluster } from "./mock_cluster.mjs";

const DIST = new URL("./dist/", import.meta.url);
const KINDS = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};
// The strict policy the page promises to live with.
export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function asset(path, res) {
  const name = path === "/dashboard/" ? "index.html" : path.slice("/dashboard/".length);
  if (!/^[a-zA-Z.]+$/.test(name)) return send(res, 404, "text/plain", "not found");
  try {
    const body = await readFile(new URL(name, DIST));
    res.writeHead(200, {
      "content-type": KINDS[name.split(".").pop()] ?? "application/octet-stream",
      "content-security-policy": CSP,
    });
    res.end(body);
  } catch {
    send(res, 404, "text/plain", "not found");
  }
}

function send(res, status, type, body) {
  res.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  res.end(body);
}

async function bodyOf(req) {
  let text = "";
  for await (const piece of req) text += piece;
  return text;
}

export async function startMock({ port = 0, manual = false, ...size } = {}) {
  const cluster = new Cluster(size);
  cluster.update();
  const streams = new Set();
  const mock = { cluster, controls: [], requests: [], refuse: "", down: false, ended: false };

  const event = (name, text) => `event: ${name}\ndata: ${text}\n\n`;
  const broadcast = () => {
    const text = event("update", JSON.stringify(cluster.update()));
    for (const stream of streams) stream.write(text);
  };
  mock.tick = (seconds = cluster.speed) => {
    // No step longer than 30 s, so that phases are seen at high speeds too.
    for (let left = cluster.paused ? 0 : seconds; left > 0; left -= 30)
      cluster.step(Math.min(30, left));
    broadcast();
  };

  async function answer(req, res) {
    const url = new URL(req.url, "http://mock");
    mock.requests.push(`${req.method} ${url.pathname}`);
    if (mock.down) return req.socket.destroy();
    if (mock.ended) return send(res, 401, "application/json", "{}");
    const query = (name) => url.searchParams.get(name);
    switch (`${req.method} ${url.pathname}`) {
      case "GET /dashboard/snapshot":
        return send(res, 200, "application/json", JSON.stringify(cluster.snapshot()));
      case "GET /dashboard/history":
        return send(
          res,
          200,
          "application/json",
          JSON.stringify(
            cluster.series(query("from"), query("to"), Number(query("points") ?? 600)),
          ),
        );
      case "GET /dashboard/at":
        return send(res, 200, "application/json", cluster.at(query("time")));
      case "GET /dashboard/stream":
        res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
        res.write(event("snapshot", JSON.stringify(cluster.snapshot())));
        streams.add(res);
        res.on("close", () => streams.delete(res));
        return undefined;
      case "POST /dashboard/controls": {
        const body = JSON.parse(await bodyOf(req));
        mock.controls.push(body);
        const error = mock.refuse || cluster.control(body);
        if (error) return send(res, 400, "application/json", JSON.stringify({ error }));
        res.writeHead(204).end();
        return manual ? broadcast() : undefined;
      }
      default:
        if (req.method === "GET" && url.pathname.startsWith("/dashboard/"))
          return asset(url.pathname, res);
        return send(res, 404, "text/plain", "not found");
    }
  }

  const server = createServer((req, res) => {
    answer(req, res).catch(() => req.socket.destroy());
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const timer = manual ? undefined : setInterval(() => mock.tick(), 1000);
  mock.url = `http://127.0.0.1:${server.address().port}/dashboard/`;
  mock.drop = () => {
    for (const stream of streams) stream.destroy();
  };
  mock.close = () => {
    clearInterval(timer);
    mock.drop();
    server.closeAllConnections();
    server.close();
  };
  return mock;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const value = (name, fallback) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? fallback : Number(process.argv[at + 1]);
  };
  const mock = await startMock({
    port: value("port", 8080),
    nodes: value("nodes", 14),
    pods: value("pods", 40),
    speed: value("speed", 60),
    empty: process.argv.includes("--empty"),
  });
  process.stdout.write(`${mock.url}\n`);
}
