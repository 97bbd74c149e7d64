// The page's one connection to the server and all state that is not a panel's own: the live model,
// the moment shown, the series, whether the stream is alive. Panels read it and call its verbs;
// listeners are told at most once a frame.
import { instant } from "./format.js";
import { History } from "./history.js";
import { applyUpdate, fromSnapshot, historyRow } from "./model.js";

const STALE_MS = 5000; // updates come about once a second
const SILENT_MS = 20000; // then the connection is taken for dead
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];

async function get(path, signal) {
  const reply = await fetch(path, { signal, credentials: "same-origin" });
  if (reply.status === 401 || reply.status === 403)
    throw new Error("the session has ended: open the address that windlass up printed");
  if (!reply.ok) throw new Error(`${path.split("?")[0]} answered ${reply.status}`);
  return reply.json();
}

export class Session {
  constructor() {
    this.live = null;
    this.past = null; // {time, model, loading, error} while another moment than now is shown
    this.connection = { state: "connecting", attempt: 0, retry_at: 0, reason: "" };
    this.heard_at = performance.now();
    this.full = new History();
    this.zoom = null; // the charts' own series when their range isn't all
    this.listeners = new Set();
    this.scheduled = false;
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      for (const listener of this.listeners) listener();
    });
  }

  get shown() {
    return this.past?.model ?? this.live;
  }
  get series() {
    return this.zoom ?? this.full;
  }
  get shown_at() {
    return this.past ? this.past.time : instant(this.live?.now);
  }
  get stale() {
    if (!this.live) return false;
    return (
      this.connection.state !== "open" ||
      (performance.now() - this.heard_at > STALE_MS && !this.live.paused)
    );
  }

  start() {
    this.connect();
    setInterval(() => this.watch(), 1000);
  }

  // Once a second: is anything to be heard, and is a retry due? Also keeps the counting-down text
  // fresh.
  watch() {
    const silent = performance.now() - this.heard_at;
    if (this.connection.state === "open" && silent > SILENT_MS)
      this.lost("nothing was heard for 20 s");
    else if (this.connection.state === "lost" && performance.now() >= this.connection.retry_at)
      this.connect();
    else if (this.connection.state === "lost" || silent > STALE_MS) this.changed();
  }

  connect() {
    this.source?.close();
    this.connection = { ...this.connection, state: this.live ? "retrying" : "connecting" };
    const source = new EventSource("/dashboard/stream");
    this.source = source;
    source.addEventListener("snapshot", (event) =>
      this.heard(source, event, (text) => this.snapshot(fromSnapshot(text))),
    );
    source.addEventListener("update", (event) =>
      this.heard(source, event, (text) => this.update(text)),
    );
    source.onerror = () => source === this.source && this.lost("the server does not answer");
    this.changed();
  }

  heard(source, event, take) {
    if (source !== this.source) return;
    performance.mark("heard");
    this.heard_at = performance.now();
    try {
      take(JSON.parse(event.data));
    } catch (error) {
      this.lost(`the stream sent what this page cannot read (${error.message})`);
      return;
    }
    if (this.connection.state !== "open")
      this.connection = { state: "open", attempt: 0, retry_at: 0, reason: "" };
    this.changed();
  }

  lost(reason) {
    this.source?.close();
    this.source = null;
    const { attempt } = this.connection;
    const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
    this.connection = {
      state: "lost",
      attempt: attempt + 1,
      retry_at: performance.now() + wait,
      reason,
    };
    this.changed();
    // A stream's failure has no status; a plain request tells an ended session from a stopped
    // server.
    get("/dashboard/snapshot").catch((error) => {
      if (!error.message.includes("session") || this.connection.state !== "lost") return;
      this.connection.reason = error.message;
      this.changed();
    });
  }

  snapshot(model) {
    const another = this.live && this.live.started !== model.started;
    this.live = model;
    if (another) {
      this.past = null;
      this.full = new History();
      this.zoom = null;
    }
    this.reload(this.full);
    if (this.zoom) this.reload(this.zoom);
  }

  update(update) {
    if (!this.live) return;
    this.live = applyUpdate(this.live, update);
    const row = historyRow(this.live);
    for (const history of [this.full, this.zoom]) {
      history?.add(row, this.live.cost?.policies ?? []);
      if (history?.stale) this.reload(history);
    }
  }

  async reload(history) {
    await history.load(instant(this.live.now), get);
    this.changed();
  }

  setRange(seconds) {
    this.zoom = null;
    if (seconds) {
      this.zoom = new History();
      this.zoom.range = seconds;
      this.zoom.seen = this.full.seen;
      this.reload(this.zoom);
    }
    this.changed();
  }

  // Shows the moment `time` (ms); what is shown stays until the answer is there.
  showAt(time) {
    if (!this.live) return;
    const started = instant(this.live.started);
    if (time >= instant(this.live.now)) {
      this.showLive();
      return;
    }
    this.past = {
      time: Math.max(started, time),
      model: this.past?.model ?? null,
      loading: true,
      error: "",
    };
    clearTimeout(this.at_timer);
    this.at_timer = setTimeout(() => this.fetchAt(this.past), 90);
    this.changed();
  }

  async fetchAt(asked) {
    if (!asked || asked !== this.past) return;
    this.at_abort?.abort();
    this.at_abort = new AbortController();
    try {
      const time = new Date(asked.time).toISOString();
      const model = fromSnapshot(
        await get(`/dashboard/at?time=${encodeURIComponent(time)}`, this.at_abort.signal),
      );
      if (asked === this.past) this.past = { ...asked, model, loading: false };
    } catch (error) {
      if (asked === this.past && error.name !== "AbortError")
        this.past = { ...asked, loading: false, error: error.message };
    }
    this.changed();
  }

  showLive() {
    clearTimeout(this.at_timer);
    this.at_abort?.abort();
    this.past = null;
    this.changed();
  }

  // Sends a control; resolves to "" or the error's text.
  async control(body) {
    try {
      const reply = await fetch("/dashboard/controls", {
        method: "POST",
        credentials: "same-origin",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (reply.ok) return "";
      const answer = await reply.json().catch(() => ({}));
      return answer.error || `the server answered ${reply.status}`;
    } catch {
      return "the server does not answer";
    }
  }
}
