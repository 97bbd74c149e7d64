// Light, dark, or as the system has it. The choice is kept where the browser allows that.
const KEY = "windlass-theme";
export const THEMES = ["system", "light", "dark"];

export function storedTheme() {
  try {
    const theme = localStorage.getItem(KEY);
    return THEMES.includes(theme) ? theme : "system";
  } catch {
    return "system";
  }
}

export const systemDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

// The style sheets read `data-scheme`, light or dark.
export function applyTheme(theme) {
  const { dataset } = document.documentElement;
  dataset.theme = theme;
  dataset.scheme = theme === "system" ? (systemDark() ? "dark" : "light") : theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

// Values of colour variables for what is drawn on a canvas.
export function colours(names) {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  );
}
