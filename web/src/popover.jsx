// A button that opens a small form under itself. Escape or a press elsewhere closes it; Escape
// gives the focus back to the button.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useDismiss } from "./hooks.js";

export function Popover({ label, name, title, kind = "", children }) {
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <span class="popover-anchor">
      <button
        type="button"
        ref={button}
        class={`pop ${kind}`}
        title={title}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={typeof label === "string" ? undefined : name}
        onClick={() => setOpen(!open)}
      >
        {label}
        <svg class="chevron" viewBox="0 0 10 6" aria-hidden="true">
          <path d="M1 1l4 4 4-4" />
        </svg>
      </button>
      {open && (
        <Sheet name={name} leave={() => setOpen(false)} close={close}>
          {children}
        </Sheet>
      )}
    </span>
  );
}

function Sheet({ name, leave, close, children }) {
  const ref = useRef(null);
  // Before the next key can arrive.
  useLayoutEffect(() => {
    const sheet = ref.current;
    // On a narrow screen a sheet under its button would leave the page: move it back in.
    const { left, right } = sheet.getBoundingClientRect();
    const over = Math.max(0, right + 8 - document.documentElement.clientWidth);
    if (over) sheet.style.left = `${-Math.min(over, left - 8)}px`;
    sheet.querySelector("[data-first], input, select, button")?.focus({ preventScroll: true });
  }, []);
  useDismiss(ref, leave);
  const keys = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  return (
    <div class="sheet" role="dialog" aria-label={name} ref={ref} onKeyDown={keys}>
      {children(close)}
    </div>
  );
}
