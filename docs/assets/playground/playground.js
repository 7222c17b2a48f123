// The page's half of the playground: terminals, and what is shown beside them. The other half is the package
// cutaway.playground, which runs in Python in WebAssembly. Nothing of either is loaded before the reader asks for it.

const here = new URL(".", import.meta.url);
const vendor = new URL("vendor/", here);
const TICK_MS = 100;
const GREY = "\x1b[90m";
const PLAIN = "\x1b[0m";

const root = document.querySelector(".playground");
const element = (name) => root.querySelector(`[data-playground="${name}"]`);

/** Editing one line: what a shell does with keys, without the shell. */
class LineEditor {
  constructor(screen, terminal, changed) {
    this.screen = screen;
    this.terminal = terminal; // cutaway.playground.Terminal
    this.changed = changed;
    this.line = "";
    this.at = 0;
    this.history = [];
    this.past = 0;
    screen.onData((data) => this.take(data));
    this.draw();
  }

  /** Text from the server, above the line that is being typed. */
  print(text) {
    this.screen.write(`\r\x1b[K${text}`);
  }

  draw() {
    const prompt = this.terminal.is_waiting ? "" : this.terminal.prompt;
    const room = Math.max(this.screen.cols - prompt.length - 1, 8);
    const first = Math.max(0, this.at - room);
    const shown = this.line.slice(first, first + room);
    const left = room - shown.length;
    const hint = this.terminal.is_waiting ? "" : this.terminal.hint(this.line).slice(0, Math.max(left, 0));
    const column = prompt.length + this.at - first;
    this.screen.write(`\r\x1b[K${prompt}${shown}${GREY}${hint}${PLAIN}\r${column ? `\x1b[${column}C` : ""}`);
  }

  /** Keys, or pasted text: whole lines run, the rest waits to be finished. */
  take(data) {
    if (data.startsWith("\x1b")) {
      this.move(data);
    } else {
      for (const key of data) this.press(key);
    }
    this.draw();
  }

  move(sequence) {
    const moves = {
      "\x1b[D": () => (this.at = Math.max(0, this.at - 1)),
      "\x1b[C": () => (this.at = Math.min(this.line.length, this.at + 1)),
      "\x1b[H": () => (this.at = 0),
      "\x1b[F": () => (this.at = this.line.length),
      "\x1b[A": () => this.recall(this.past - 1),
      "\x1b[B": () => this.recall(this.past + 1),
      "\x1b[3~": () => this.cut(this.at, this.at + 1),
    };
    moves[sequence]?.();
  }

  press(key) {
    if (key === "\r" || key === "\n") this.run();
    else if (key === "\x7f") this.cut(this.at - 1, this.at);
    else if (key === "\x03") this.interrupt();
    else if (key === "\x01") this.at = 0;
    else if (key === "\x05") this.at = this.line.length;
    else if (key === "\x15") this.cut(0, this.at);
    else if (key === "\x0c") this.screen.clear();
    else if (key === "\t") this.complete();
    else if (key >= " ") this.insert(key);
  }

  insert(text) {
    this.line = this.line.slice(0, this.at) + text + this.line.slice(this.at);
    this.at += text.length;
  }

  cut(start, end) {
    if (start < 0) return;
    this.line = this.line.slice(0, start) + this.line.slice(end);
    this.at = start;
  }

  recall(place) {
    if (place < 0 || place > this.history.length) return;
    this.past = place;
    this.line = this.history[place] ?? "";
    this.at = this.line.length;
  }

  complete() {
    const found = this.terminal.completions(this.line);
    const texts = found.toJs ? found.toJs() : found;
    found.destroy?.();
    if (texts.length === 0) return;
    let common = texts[0];
    while (!texts.every((text) => text.startsWith(common))) common = common.slice(0, -1);
    if (common.length > this.line.length) this.line = texts.length === 1 ? `${common} ` : common;
    else this.print(`${texts.slice(0, 40).join("  ")}\r\n`);
    this.at = this.line.length;
  }

  interrupt() {
    this.screen.write(`\r\x1b[K${this.terminal.is_waiting ? "" : this.terminal.prompt}${this.line}^C\r\n`);
    this.terminal.interrupt();
    this.line = "";
    this.at = 0;
    this.changed(this.terminal);
  }

  run() {
    const line = this.line;
    if (this.terminal.is_waiting) return;
    this.screen.write(`\r\x1b[K${this.terminal.prompt}${line}\r\n`);
    this.line = "";
    this.at = 0;
    if (line.trim()) {
      if (this.history.at(-1) !== line) this.history.push(line);
      if (line.trim().toLowerCase() === "clear") this.screen.clear();
      else this.terminal.enter(line);
    }
    this.past = this.history.length;
    this.changed(this.terminal);
  }
}

/** Say what is going on, where screen readers hear it too. */
function say(text) {
  element("status").textContent = text;
}

async function bytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  return answer.arrayBuffer();
}

/** Python with our packages in it, and the Playground. */
async function startPython() {
  say("Loading Python …");
  const { loadPyodide } = await import(new URL("pyodide.mjs", vendor));
  const [python, packages] = await Promise.all([
    loadPyodide({ indexURL: vendor.href }),
    bytes(new URL("packages.zip", vendor)),
  ]);
  say("Starting the server …");
  python.unpackArchive(packages, "zip", { extractDir: "/packages" });
  python.runPython("import sys\nsys.path.append('/packages')");
  return python.runPython("from cutaway.playground import Playground\nPlayground()");
}

function theme() {
  const style = getComputedStyle(document.body);
  const color = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    background: color("--md-code-bg-color", "#1e2129"),
    foreground: color("--md-code-fg-color", "#d5d8e2"),
    cursor: color("--md-accent-fg-color", "#b5302a"),
    selectionBackground: "#8888",
  };
}

async function start() {
  const began = performance.now();
  const button = element("start");
  button.disabled = true;
  let place, xterm, fit;
  try {
    [place, xterm, fit] = await Promise.all([
      startPython(),
      import(new URL("xterm.mjs", vendor)),
      import(new URL("addon-fit.mjs", vendor)),
    ]);
  } catch (error) {
    console.error(error);
    button.disabled = false;
    say(
      "The playground could not be loaded. It is not part of every copy of this site: " +
        "“uv run nox -s playground” builds it in.",
    );
    return;
  }
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("xterm.css", vendor);
  document.head.append(style);
  element("welcome").hidden = true;
  element("room").hidden = false;

  let watched = null;
  const show = (terminal) => {
    watched = terminal;
    element("wire").innerHTML = terminal.wire.html;
    element("structure").innerHTML = terminal.structure.html;
  };

  const editors = [];
  const open = () => {
    const box = document.createElement("div");
    box.className = "playground-terminal";
    element("terminals").append(box);
    const screen = new xterm.Terminal({
      convertEol: true, fontSize: 13, rows: 14, theme: theme(), screenReaderMode: true, scrollback: 2000,
      fontFamily: 'ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace',
    });
    const fitting = new fit.FitAddon();
    screen.loadAddon(fitting);
    screen.open(box);
    fitting.fit();
    new ResizeObserver(() => fitting.fit()).observe(box);
    let editor = null;
    const terminal = place.open((text) => {
      if (editor) editor.print(text);
      else screen.write(text);
      // What came without a key being pressed, a message or the end of a waiting, is drawn behind it.
      queueMicrotask(() => editor?.draw());
    });
    editor = new LineEditor(screen, terminal, show);
    editors.push(editor);
    screen.focus();
    return editor;
  };

  open();
  show(editors[0].terminal);
  element("second").addEventListener("click", () => {
    open();
    element("second").hidden = true;
  });
  for (const example of root.querySelectorAll("[data-type]")) {
    example.addEventListener("click", () => {
      const editor = editors[Number(example.dataset.in ?? 0)] ?? open();
      if (editors.length > 1) element("second").hidden = true;
      editor.take(`${example.dataset.type}\r`);
      editor.screen.focus();
    });
  }
  new MutationObserver(() => editors.forEach((editor) => (editor.screen.options.theme = theme()))).observe(
    document.body, { attributeFilter: ["data-md-color-scheme"] },
  );
  setInterval(() => {
    if (place.tick() && watched) element("structure").innerHTML = watched.structure.html;
  }, TICK_MS);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`Ready in ${seconds} s. The server, its data and the terminals live in this page, and end with it.`);
  root.dataset.ready = seconds;
}

element("start").addEventListener("click", start);
