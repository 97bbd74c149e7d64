// Figures and times as the page writes them. Unknown (null, undefined, NaN) is an en dash.

const NONE = "–";
const known = (value) => typeof value === "number" && Number.isFinite(value);
const grouped = new Map();

function decimals(value, digits) {
  if (!grouped.has(digits)) {
    grouped.set(
      digits,
      new Intl.NumberFormat("en-US", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }),
    );
  }
  return grouped.get(digits).format(value);
}

export const count = (value) => (known(value) ? decimals(value, 0) : NONE);

// Three figures or so: 0.42, 21.4, 1,250.
export function figure(value) {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return decimals(value, 0);
  return decimals(value, size >= 10 ? 1 : 2);
}

// For axes: 12,000 is "12k".
export function compact(value) {
  if (Math.abs(value) < 10000) return figure(value);
  return value < 1e6 ? `${figure(value / 1000)}k` : `${figure(value / 1e6)}M`;
}

export function dollars(value) {
  if (!known(value)) return NONE;
  return `$${decimals(value, Math.abs(value) >= 10000 ? 0 : 2)}`;
}

export function milliseconds(value) {
  if (!known(value)) return NONE;
  if (value < 1000) return `${decimals(value, 0)} ms`;
  return value < 60000
    ? `${decimals(value / 1000, value < 10000 ? 2 : 1)} s`
    : length(value / 1000);
}

export const percent = (share) => (known(share) ? `${decimals(share * 100, 0)}%` : NONE);

// How much `value` is above or below `base`: "-59%", "+5%".
export function change(value, base) {
  if (!known(value) || !known(base) || base === 0) return "";
  const share = ((value - base) / base) * 100;
  return `${share > 0 ? "+" : share < 0 ? "−" : "±"}${decimals(Math.abs(share), 0)}%`;
}

// A length of time, two units at most: "45 s", "3 min 10 s", "2 h 5 min", "1 d 3 h".
export function length(seconds) {
  if (!known(seconds)) return NONE;
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const two = (a, unit_a, b, unit_b) => (b ? `${a} ${unit_a} ${b} ${unit_b}` : `${a} ${unit_a}`);
  if (s < 3600) return two(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor(s / 60) % 60, "min");
  return two(Math.floor(s / 86400), "d", Math.floor(s / 3600) % 24, "h");
}

// Milliseconds since the epoch of an RFC 3339 time; NaN if it is none.
export const instant = (text) => Date.parse(text ?? "");

const pad = (number) => String(number).padStart(2, "0");

// Simulated times are UTC: "04:10:00".
export function clock(ms, with_seconds = true) {
  if (!known(ms)) return NONE;
  const date = new Date(ms);
  const text = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
  return with_seconds ? `${text}:${pad(date.getUTCSeconds())}` : text;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// "2 Mar", and with the day of the week "Mon 2 Mar".
export function date(ms) {
  if (!known(ms)) return "";
  const time = new Date(ms);
  return `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]}`;
}
export const day = (ms) => (known(ms) ? `${DAYS[new Date(ms).getUTCDay()]} ${date(ms)}` : "");

// "04:10:00", with the day in front where it is another than `beside`'s.
export function moment(ms, beside) {
  return known(beside) && day(ms) !== day(beside) ? `${day(ms)} ${clock(ms)}` : clock(ms);
}

// A host's first label, a pod's name without its namespace: what tells them apart.
export const shortNode = (name) => name.replace(/\..*$/, "");
export const shortKey = (key) => (key ?? "").slice((key ?? "").lastIndexOf("/") + 1);
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
