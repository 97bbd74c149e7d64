import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

// Renders again whenever the session says that something changed.
export function useSession(session) {
  const [, again] = useReducer((n) => n + 1, 0);
  useEffect(() => session.subscribe(again), [session]);
}

// The content width of an element, 0 before it is laid out.
export function useWidth(ref) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    setWidth(Math.floor(ref.current.clientWidth));
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

// Calls `leave` on Escape inside `ref` and, unless `stay`, on a press outside of it.
export function useDismiss(ref, leave, { stay = false } = {}) {
  const latest = useRef(leave);
  latest.current = leave;
  // Before the next key can arrive.
  useLayoutEffect(() => {
    const key = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      latest.current();
    };
    const press = (event) => {
      if (!ref.current?.contains(event.target)) latest.current();
    };
    const at = stay ? document : ref.current;
    at.addEventListener("keydown", key);
    if (!stay) document.addEventListener("pointerdown", press);
    return () => {
      at.removeEventListener("keydown", key);
      document.removeEventListener("pointerdown", press);
    };
  }, []);
}

// True where a media query holds, kept current.
export function useMedia(query) {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const tell = () => setHolds(list.matches);
    list.addEventListener("change", tell);
    return () => list.removeEventListener("change", tell);
  }, [query]);
  return holds;
}
