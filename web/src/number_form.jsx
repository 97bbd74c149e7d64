import { useState } from "preact/hooks";
import { figure } from "./format.js";

// A control's sending: `send` posts the body, closes on success, and shows the error beside the
// control otherwise.
export function useControl(session, close) {
  const [state, setState] = useState({ busy: false, error: "" });
  const send = async (body) => {
    if (state.busy) return;
    setState({ busy: true, error: "" });
    const error = await session.control(body);
    setState({ busy: false, error });
    if (!error) close?.();
  };
  return { ...state, send };
}

export function ControlError({ text }) {
  return text ? (
    <p class="error" role="alert">
      {text}
    </p>
  ) : null;
}

// One number as a control: some usual values as buttons, any other in a field.
export function NumberForm({ session, close, legend, name, choices, value, min, max, unit, body }) {
  const control = useControl(session, close);
  const [text, setText] = useState(String(value));
  const submit = (event) => {
    event.preventDefault();
    control.send(body(Number(text)));
  };
  return (
    <form class="form" onSubmit={submit}>
      <fieldset>
        <legend>{legend}</legend>
        <div class="choices">
          {choices.map((choice) => (
            <button
              type="button"
              key={choice}
              aria-pressed={choice === value}
              data-first={choice === value ? "" : undefined}
              onClick={() => control.send(body(choice))}
            >
              {figure(choice)}
              {unit}
            </button>
          ))}
        </div>
        <div class="row">
          <label>
            Other{" "}
            <input
              type="number"
              name={name}
              min={min}
              max={max}
              step="any"
              required
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="primary" aria-disabled={control.busy}>
            Set
          </button>
        </div>
      </fieldset>
      <ControlError text={control.error} />
    </form>
  );
}
