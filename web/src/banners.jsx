// What a reader must know about the figures below: that they are another moment's, or stale.
import { retryText } from "./app.jsx";
import { clock, day, instant, length, moment } from "./format.js";

export function Banners({ session }) {
  return (
    <>
      {lostBanner(session)}
      {pastBanner(session)}
    </>
  );
}

function lostBanner(session) {
  const { connection, live } = session;
  const silent = (performance.now() - session.heard_at) / 1000;
  if (connection.state === "open" && !session.stale) return null;
  const text =
    connection.state === "open"
      ? `No news for ${length(silent)}: what is shown is of ${clock(instant(live.now))}.`
      : `Connection lost (${connection.reason}): what is shown is of ${clock(instant(live.now))}, ${length(silent)} old.`;
  return (
    <div class="banner lost" role="alert">
      <span>
        {text}{" "}
        {connection.state === "lost" && (
          <span class="quiet" aria-hidden="true">
            {retryText(connection)}
          </span>
        )}
      </span>
      {connection.state === "lost" && (
        <button type="button" onClick={() => session.connect()}>
          Try now
        </button>
      )}
    </div>
  );
}

function pastBanner(session) {
  const { past, live } = session;
  if (!past) return null;
  const now = instant(live.now);
  const kept = instant(past.model?.now);
  const other = past.model && !past.loading && Math.abs(kept - past.time) >= 1000;
  return (
    <div class="banner past" role="status">
      <span>
        Showing <b>{moment(past.time, now)}</b>, live is <b>{clock(now)}</b>
        {day(past.time) !== day(now) && <> on {day(now)}</>}
        {past.loading && <span class="quiet"> loading...</span>}
        {other && <span class="quiet"> the nearest kept moment is {moment(kept, past.time)}</span>}
        {past.error && <span class="error"> {past.error}</span>}
      </span>
      <button type="button" onClick={() => session.showLive()}>
        Back to live
      </button>
    </div>
  );
}
