// The page: header and banners, controls and timeline, charts, then what the cluster is made of
// beside what is decided about it.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { Banners } from "./banners.jsx";
import { Charts } from "./charts.jsx";
import { Controls } from "./controls.jsx";
import { Decisions } from "./decisions.jsx";
import { NodeDetails } from "./details.jsx";
import { Header } from "./header.jsx";
import { useMedia, useSession } from "./hooks.js";
import { idOf } from "./model.js";
import { Nodes } from "./nodes.jsx";
import { Pods } from "./pods.jsx";
import { Models, Scaled } from "./scaling.jsx";
import { applyTheme, storedTheme } from "./theme.js";
import { Timeline } from "./timeline.jsx";

const PLACES = [
  ["charts", "Charts"],
  ["nodes", "Nodes"],
  ["pods", "Pods"],
  ["scaling", "Scaling"],
  ["decisions", "Decisions"],
];

export function App({ session }) {
  useSession(session);
  const [theme, setTheme] = useState(storedTheme);
  const [selected, setSelected] = useState(null);
  const [about, setAbout] = useState("");
  const dark = useMedia("(prefers-color-scheme: dark)");
  const scheme = theme === "system" ? (dark ? "dark" : "light") : theme;
  useMemo(() => applyTheme(theme), [theme, dark]);
  const close = useCallback(() => setSelected(null), []);
  const askAbout = useCallback((text) => {
    setAbout(text);
    document.getElementById("decisions")?.scrollIntoView({ block: "nearest" });
  }, []);

  const model = session.shown;
  useEffect(() => {
    if (model) document.title = `${model.scenario} - Windlass`;
  }, [model?.scenario]);
  if (!session.live) return <Opening session={session} />;
  const node = selected && [...model.nodes.values()].find((one) => idOf(one) === selected);
  return (
    <div class={session.stale ? "page stale" : "page"}>
      <a class="skip" href="#nodes">
        Skip to the nodes
      </a>
      <div class="top">
        <Header session={session} theme={theme} setTheme={setTheme} />
        <div class="drive">
          <Controls session={session} />
          <Timeline session={session} />
        </div>
        <Banners session={session} />
      </div>
      <nav class="places" aria-label="Parts of the page">
        {PLACES.map(([id, name]) => (
          <a key={id} href={`#${id}`}>
            {name}
          </a>
        ))}
      </nav>
      <main>
        <Charts session={session} scheme={scheme} />
        <div class="columns">
          <div class="left">
            <Nodes model={model} scheme={scheme} selected={selected} select={setSelected} />
            <Pods model={model} />
          </div>
          <div class="right">
            <section id="scaling" class="stack" aria-label="Scaling">
              <Scaled model={model} askAbout={askAbout} />
              <Models model={model} />
            </section>
            <Decisions model={model} about={about} setAbout={setAbout} />
          </div>
        </div>
      </main>
      <Footer model={session.live} />
      {selected && (
        <NodeDetails
          session={session}
          model={model}
          id={selected}
          node={node}
          close={close}
          askAbout={askAbout}
        />
      )}
    </div>
  );
}

function Opening({ session }) {
  const { state, reason } = session.connection;
  return (
    <div class="boot" role="status">
      <p>
        <b>Windlass</b>
      </p>
      <p>
        {state === "lost"
          ? `No connection: ${reason}. ${retryText(session.connection)}`
          : "Connecting to the cluster..."}
      </p>
    </div>
  );
}

export function retryText({ retry_at }) {
  const seconds = Math.max(0, Math.ceil((retry_at - performance.now()) / 1000));
  return seconds ? `Trying again in ${seconds} s.` : "Trying again...";
}

function Footer({ model }) {
  return (
    <footer>
      <span>
        Windlass {model.version}, embedded cluster for trying and testing: no container runs, money
        and time are simulated.
      </span>
      <a href="/dashboard/LICENSES.txt">Licences</a>
    </footer>
  );
}
