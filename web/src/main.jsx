import { render } from "preact";
import { App } from "./app.jsx";
import { Session } from "./session.js";
import { applyTheme, storedTheme } from "./theme.js";
import "./style/tokens.css";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/controls.css";
import "./style/layout.css";
import "./style/panels.css";
import "./style/nodes.css";

applyTheme(storedTheme());
const session = new Session();
session.start();
const root = document.getElementById("app");
root.textContent = "";
render(<App session={session} />, root);
