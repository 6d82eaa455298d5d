// What all panes build with.  The files of this folder make one module, in the order that widget.py
// states: each may use the names of those before it.

/** An element; properties that begin with "on" are listeners, the others attributes. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean" && !name.startsWith("aria-")) element.toggleAttribute(name, value);
    else if (value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

const escapeHtml = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** Keep a choice for the next explorer; a page that stores nothing loses it, no more. */
function remember(key, value) {
  try {
    localStorage.setItem(`sejits-explorer-${key}`, JSON.stringify(value));
  } catch {
    // private windows and some webviews refuse
  }
}

function recall(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`sejits-explorer-${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

const countText = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
